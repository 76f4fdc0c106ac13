import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordKey } from '../../lib/run/record.ts';
import { HOSTILE, shownLedger, storeLog, type Shown } from '../view/ledger-of.ts';
import { CHROMIUM, HOW, openBrowser } from './chromium.ts';
import { startDashboard, type Stage } from './stage.ts';
import { Visit } from './visit.ts';

const HOSTILE_LOG = `${HOSTILE}\n\u001b[31m2026 ERROR red\u001b[0m\n${'x'.repeat(5_000)}\nlast line`;

if (CHROMIUM === undefined) console.warn(`test/page is skipped: no Chromium on this machine. ${HOW}`);

describe.skipIf(CHROMIUM === undefined && process.env['CI'] === undefined)('the page', () => {
  let browser: Browser;
  let visit: Visit;
  let page: Page;
  let shown: Shown;
  let stage: Stage;

  beforeAll(async () => {
    shown = await shownLedger();
    storeLog(shown, shown.failed, 'orders.log', HOSTILE_LOG);
    [browser, stage] = await Promise.all([openBrowser(), startDashboard(shown.s3, '--allow-actions')]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await stage?.stop();
  });

  beforeEach(async () => {
    await page?.close();
    visit = await Visit.begin(browser);
    page = visit.page;
  });

  const open = (path: string): Promise<void> => visit.open(stage.url, path);
  const text = (selector: string): Promise<string> => visit.text(selector);
  const rows = (): Promise<string[]> => visit.texts('a.row-link');
  const until = (wanted: string): Promise<unknown> => visit.until(wanted);

  it('lists runs, and keeps what is chosen in the address', async () => {
    await open('/runs');
    expect(await rows()).toEqual(['totals', 'totals', 'orders-import', 'word-count']);
    await page.select('.filters label:nth-of-type(2) select', 'failed');
    await until('1 run,');
    expect(await rows()).toEqual(['orders-import']);
    expect(new URL(page.url()).search).toBe('?state=failed');
    await open('/runs?state=ended&name=word-*');
    expect(await rows()).toEqual(['word-count']);
    await open('/runs?state=wrong');
    await until("'wrong' is none");
  });

  it('is walked through by keys, and back', async () => {
    await open('/runs');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await until('Cause');
    expect(new URL(page.url()).pathname).toBe(`/runs/${shown.failed}`);
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
    await page.goBack();
    await until('4 runs');
    await page.keyboard.press('q');
    await until('It is the turn of');
    await page.keyboard.press('?');
    expect(await page.$eval('dialog', (dialog) => dialog.open)).toBe(true);
    await page.keyboard.press('Escape');
    await page.keyboard.press('r');
    await until('4 runs');
    await page.keyboard.press('/');
    await page.keyboard.type('word-count');
    await page.keyboard.press('Enter');
    await until('1 run,');
  });

  it('shows what jobs and logs say as text, and does nothing of it', async () => {
    await open(`/runs/${shown.failed}`);
    expect(await text('.cause pre')).toContain(HOSTILE);
    await open(`/runs/${shown.failed}?log=2/orders.log`);
    await until('last line');
    expect(await text('pre.log')).toBe(HOSTILE_LOG);
    expect(await page.evaluate(() => 'hurt' in window)).toBe(false);
    expect(await page.$$eval('main img, main script', (all) => all.length)).toBe(0);
    expect(visit.complaints).toEqual([]);
  });

  it('finds lines of a log', async () => {
    await open(`/runs/${shown.failed}?log=2/orders.log`);
    await until('last line');
    await page.type('input[name=find]', '2026 error');
    await until('1 line');
    expect(await text('pre.log')).toBe(HOSTILE_LOG.split('\n')[1]);
  });

  it('shows the rules that decided when it is asked', async () => {
    await open(`/runs/${shown.failed}`);
    await page.$$eval('details', (all) => {
      for (const one of all) if (one.textContent?.includes('attempt 2')) one.open = true;
    });
    await until('=> decided');
    expect(await text('tr.decided')).toContain('application-ended');
  });

  it('has dates in the zone of the reader', async () => {
    await page.emulateTimezone('Asia/Tokyo');
    await open(`/runs/${shown.failed}`);
    const [shownTime, stored] = await page.$eval('.now time', (one) => [one.textContent, one.getAttribute('datetime')]);
    expect(shownTime).toMatch(/GMT\+9|JST/);
    expect(stored).toMatch(/Z$/);
  });

  it('shows an outcome as soon as the ledger has it, and moves nothing above it', async () => {
    await open(`/runs/${shown.running}`);
    await until('Timeline');
    const before = await page.$eval('h1', (one) => one.getBoundingClientRect().top);
    const key = `ledger/${recordKey(shown.running)}`;
    const record = JSON.parse(stage.s3.text(key) ?? '{}') as object;
    const outcome = {
      state: 'failed',
      reason: 'JobLost',
      message: 'The JobManager was replaced',
      at: shown.now,
      evidence: [],
    };
    stage.s3.store(key, JSON.stringify({ ...record, state: 'ended', outcome }));
    await until('The JobManager was replaced');
    expect(await page.$eval('h1', (one) => one.getBoundingClientRect().top)).toBe(before);
    stage.s3.store(key, JSON.stringify(record));
  });

  it('says what failed, and goes on when it works again', async () => {
    await open('/runs');
    stage.s3.failing.push({ what: /list/, error: () => new Error('no route to S3') });
    await until('no route to S3');
    expect(await rows()).toHaveLength(4);
    stage.s3.failing.length = 0;
    await page.waitForFunction(() => document.querySelector('.failure') === null, { timeout: 20_000 });
  });
});
