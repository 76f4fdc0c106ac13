import { describe, expect, it } from 'vitest';
import { recordKey } from '../../lib/run/record.ts';
import { HOSTILE, shownLedger, storeLog } from '../view/ledger-of.ts';
import { CHROMIUM, HOW } from './chromium.ts';
import { onStage } from './on-stage.ts';

const HOSTILE_LOG = `${HOSTILE}\n\u001b[31m2026 ERROR red\u001b[0m\n${'x'.repeat(5_000)}\nlast line`;

if (CHROMIUM === undefined) console.warn(`test/page is skipped: no Chromium on this machine. ${HOW}`);

describe.skipIf(CHROMIUM === undefined && process.env['CI'] === undefined)('the page', () => {
  const on = onStage(async () => {
    const shown = await shownLedger();
    storeLog(shown, shown.failed, 'orders.log', HOSTILE_LOG);
    return shown;
  });
  const open = (path: string): Promise<void> => on.visit.open(on.stage.url, path);
  const text = (selector: string): Promise<string> => on.visit.text(selector);
  const rows = (): Promise<string[]> => on.visit.texts('a.row-link');
  const until = (wanted: string): Promise<unknown> => on.visit.until(wanted);

  it('lists runs, and keeps what is chosen in the address', async () => {
    await open('/runs');
    expect(await rows()).toEqual(['totals', 'totals', 'orders-import', 'word-count']);
    await on.visit.page.select('.filters label:nth-of-type(2) select', 'failed');
    await until('1 run,');
    expect(await rows()).toEqual(['orders-import']);
    expect(new URL(on.visit.page.url()).search).toBe('?state=failed');
    await open('/runs?state=ended&name=word-*');
    expect(await rows()).toEqual(['word-count']);
    await open('/runs?state=wrong');
    await until("'wrong' is none");
  });

  it('is walked through by keys, and back', async () => {
    await open('/runs');
    await on.visit.page.keyboard.press('j');
    await on.visit.page.keyboard.press('j');
    await on.visit.page.keyboard.press('j');
    await on.visit.page.keyboard.press('Enter');
    await until('Cause');
    expect(new URL(on.visit.page.url()).pathname).toBe(`/runs/${on.shown.failed}`);
    expect(await on.visit.page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
    await on.visit.page.goBack();
    await until('4 runs');
    await on.visit.page.keyboard.press('q');
    await until('It is the turn of');
    await on.visit.page.keyboard.press('?');
    expect(await on.visit.page.$eval('dialog', (dialog) => dialog.open)).toBe(true);
    await on.visit.page.keyboard.press('Escape');
    await on.visit.page.keyboard.press('r');
    await until('4 runs');
    await on.visit.page.keyboard.press('/');
    await on.visit.page.keyboard.type('word-count');
    await on.visit.page.keyboard.press('Enter');
    await until('1 run,');
  });

  it('shows what jobs and logs say as text, and does nothing of it', async () => {
    await open(`/runs/${on.shown.failed}`);
    expect(await text('.cause pre')).toContain(HOSTILE);
    await open(`/runs/${on.shown.failed}?log=2/orders.log`);
    await until('last line');
    expect(await text('pre.log')).toBe(HOSTILE_LOG);
    expect(await on.visit.page.evaluate(() => 'hurt' in window)).toBe(false);
    expect(await on.visit.page.$$eval('main img, main script', (all) => all.length)).toBe(0);
    expect(on.visit.complaints).toEqual([]);
  });

  it('finds lines of a log', async () => {
    await open(`/runs/${on.shown.failed}?log=2/orders.log`);
    await until('last line');
    await on.visit.page.type('input[name=find]', '2026 error');
    await until('1 line');
    expect(await text('pre.log')).toBe(HOSTILE_LOG.split('\n')[1]);
  });

  it('shows the rules that decided when it is asked', async () => {
    await open(`/runs/${on.shown.failed}`);
    await on.visit.page.$$eval('details', (all) => {
      for (const one of all) if (one.textContent?.includes('attempt 2')) one.open = true;
    });
    await until('=> decided');
    expect(await text('tr.decided')).toContain('application-ended');
  });

  it('has dates in the zone of the reader', async () => {
    await on.visit.page.emulateTimezone('Asia/Tokyo');
    await open(`/runs/${on.shown.failed}`);
    const [shownTime, stored] = await on.visit.page.$eval('.now time', (one) => [
      one.textContent,
      one.getAttribute('datetime'),
    ]);
    expect(shownTime).toMatch(/GMT\+9|JST/);
    expect(stored).toMatch(/Z$/);
  });

  it('shows an outcome as soon as the ledger has it, and moves nothing above it', async () => {
    await open(`/runs/${on.shown.running}`);
    await until('Timeline');
    const before = await on.visit.page.$eval('h1', (one) => one.getBoundingClientRect().top);
    const key = `ledger/${recordKey(on.shown.running)}`;
    const record = JSON.parse(on.stage.s3.text(key) ?? '{}') as object;
    const outcome = {
      state: 'failed',
      reason: 'JobLost',
      message: 'The JobManager was replaced',
      at: on.shown.now,
      evidence: [],
    };
    on.stage.s3.store(key, JSON.stringify({ ...record, state: 'ended', outcome }));
    await until('The JobManager was replaced');
    expect(await on.visit.page.$eval('h1', (one) => one.getBoundingClientRect().top)).toBe(before);
    on.stage.s3.store(key, JSON.stringify(record));
  });

  it('says what failed, and goes on when it works again', async () => {
    await open('/runs');
    on.stage.s3.failing.push({ what: /list/, error: () => new Error('no route to S3') });
    await until('no route to S3');
    expect(await rows()).toHaveLength(4);
    on.stage.s3.failing.length = 0;
    await on.visit.page.waitForFunction(() => document.querySelector('.failure') === null, { timeout: 20_000 });
  });
});
