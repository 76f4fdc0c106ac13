import { existsSync } from 'node:fs';
import { launch, type Browser } from 'puppeteer-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser of this machine: that of CHROMIUM, else where Debian and others put it. Undefined when there is none. */
export const CHROMIUM = process.env['CHROMIUM'] ?? PLACES.find((path) => existsSync(path));

/** How to get one; also said when the suite is skipped. */
export const HOW =
  'apt-get install -y --no-install-recommends chromium, or CHROMIUM=/path/of/it; then npm run test:page';

export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error(`no Chromium: ${HOW}`);
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--force-device-scale-factor=1'];
  return launch({ executablePath: CHROMIUM, args, env: { ...process.env, TZ: 'Europe/Berlin', LANG: 'en_GB.UTF-8' } });
}
