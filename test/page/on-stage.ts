import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Shown } from '../view/ledger-of.ts';
import { openBrowser } from './chromium.ts';
import { startDashboard, type Stage } from './stage.ts';
import { Visit } from './visit.ts';

export interface OnStage {
  readonly browser: Browser;
  readonly stage: Stage;
  readonly shown: Shown;
  /** Of one test. */
  readonly visit: Visit;
}

/** The dashboard on such a ledger, which may act, and a browser, for the tests of a file; each has a page of its own. */
export function onStage(prepare: () => Promise<Shown>): OnStage {
  const it = {} as { -readonly [K in keyof OnStage]: OnStage[K] };
  beforeAll(async () => {
    it.shown = await prepare();
    [it.browser, it.stage] = await Promise.all([openBrowser(), startDashboard(it.shown.s3, '--allow-actions')]);
  }, 120_000);
  afterAll(async () => {
    await it.browser?.close();
    await it.stage?.stop();
  });
  beforeEach(async () => {
    await it.visit?.page.close();
    it.visit = await Visit.begin(it.browser);
  });
  return it;
}
