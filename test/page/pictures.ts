// The pictures of the page in docs/: `npm run docs:page`. They show runs of the simulation.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { shownLedger, storeLog, storeSamples } from '../view/ledger-of.ts';
import { storeStream } from '../view/stream-of.ts';
import { openBrowser } from './chromium.ts';
import { startDashboard } from './stage.ts';

const FOLDER = join(import.meta.dirname, '../../docs/page');
const LOG = [
  'INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph - Source: orders -> parse (1/1) switched from RUNNING to FAILED.',
  'java.lang.IllegalStateException: no price for article 4711',
  '\tat org.example.Orders.map(Orders.java:41)',
].join('\n');

interface Look {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** The section that stands at the top. */
  readonly at?: string;
}

async function take(
  browser: Browser,
  address: string,
  name: string,
  { scheme = 'light', width = 1100, height = 720, at }: Look = {},
) {
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.evaluateOnNewDocument((now) => (Date.now = () => now), shown.now);
  await page.goto(address);
  await page.waitForSelector('h1');
  await page.waitForFunction(() => document.querySelector('.loading') === null);
  await page.waitForFunction(() => document.documentElement.dataset['reading'] === '0');
  await page.evaluate(() => document.fonts.ready);
  if (at !== undefined) {
    await page.$eval(`#${at}`, (one) => one.scrollIntoView({ block: 'start' }));
  }
  await page.screenshot({ path: join(FOLDER, `${name}.png`), optimizeForSpeed: false });
  await page.close();
}

mkdirSync(FOLDER, { recursive: true });
const shown = await shownLedger({ message: 'no price for article 4711', before: 9 });
storeLog(shown, shown.failed, 'orders-import-jobmanager.log', LOG);
await storeSamples(shown, shown.failed, 2, 'parse -> price -> Sink: totals');
const stream = await storeStream(shown.s3);
const [browser, stage] = await Promise.all([openBrowser(), startDashboard(shown.s3)]);
const { origin } = new URL(stage.url);
await take(browser, `${origin}/runs`, 'runs');
await take(browser, `${origin}/runs/${shown.failed}`, 'run', { height: 1200 });
await take(browser, `${origin}/runs/${shown.failed}`, 'run-dark-narrow', { scheme: 'dark', width: 400, height: 900 });
await take(browser, `${origin}/runs/${shown.failed}`, 'metrics', { height: 1000, at: 'graph' });
await take(browser, `${origin}/streams/${stream.id}`, 'stream', { height: 900 });
await take(browser, `${origin}/queues`, 'queues', { scheme: 'dark', width: 1100, height: 420 });
await browser.close();
await stage.stop();
