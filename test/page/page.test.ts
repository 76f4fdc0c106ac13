import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordKey } from '../../lib/run/record.ts';
import { HOSTILE, shownLedger, storeLog, type Shown } from '../view/ledger-of.ts';
import { CHROMIUM, HOW, openBrowser } from './chromium.ts';
import { startDashboard, type Stage } from './stage.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HOSTILE_LOG = `${HOSTILE}\n\u001b[31m2026 ERROR red\u001b[0m\n${'x'.repeat(5_000)}\nlast line`;

if (CHROMIUM === undefined) console.warn(`test/page is skipped: no Chromium on this machine. ${HOW}`);

describe.skipIf(CHROMIUM === undefined && process.env['CI'] === undefined)('the page', () => {
  let browser: Browser;
  let page: Page;
  let shown: Shown;
  let stage: Stage;
  /** What a page said that it should not: errors of scripts, refusals of the content security policy. */
  const complaints: string[] = [];

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
    page = await browser.newPage();
    complaints.length = 0;
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.setViewport({ width: 1280, height: 900 });
  });

  const open = async (path: string): Promise<void> => {
    const { origin, hash } = new URL(stage.url);
    await page.goto(`${origin}${path}${hash}`);
    await page.waitForSelector('h1');
    await page.waitForFunction(() => document.querySelector('.loading') === null);
  };
  const text = (selector: string): Promise<string> => page.$eval(selector, (one) => one.textContent ?? '');
  const rows = (): Promise<string[]> => page.$$eval('a.row-link', (all) => all.map((one) => one.textContent ?? ''));
  const until = (wanted: string): Promise<unknown> =>
    page.waitForFunction((part) => document.body.innerText.includes(part), {}, wanted);

  const screens = (): readonly (readonly [string, string])[] => [
    ['runs', '/runs'],
    ['a run that failed', `/runs/${shown.failed}`],
    ['a run that goes on', `/runs/${shown.running}`],
    ['a run that waits', `/runs/${shown.waiting}`],
    ['streams', '/streams'],
    ['queues', '/queues'],
    ['schedules', '/schedules'],
    ['targets', '/targets'],
  ];

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
    ['dark', 360],
  ])('has no violation that axe finds, %s, %i pixels wide; nothing is wider than the screen', async (scheme, width) => {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.setViewport({ width, height: 800 });
    for (const [name, path] of screens()) {
      await open(path);
      await page.evaluate(AXE);
      const found = await page.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        return (await axe.run()).violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
        );
      });
      expect(found, name).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `${name}: pixels that lie beyond the screen`).toBeLessThanOrEqual(0);
    }
    expect(complaints).toEqual([]);
  });

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
    expect(complaints).toEqual([]);
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

  it('cancels a run after a question, with the token of its address alone', async () => {
    await open(`/runs/${shown.waiting}`);
    expect(page.url()).not.toContain('token');
    page.on('dialog', (dialog) => void dialog.accept());
    await page.click('button.danger');
    await until('Asked to stop by');
    const key = `ledger/${recordKey(shown.waiting)}`;
    expect(JSON.parse(stage.s3.text(key) ?? '{}')).toMatchObject({ cancelRequested: { reason: 'JobCanceled' } });
    const other = await browser.createBrowserContext();
    const stranger = await other.newPage();
    await stranger.goto(`${new URL(stage.url).origin}/runs/${shown.running}`);
    await stranger.waitForSelector('h1');
    await stranger.waitForFunction(() =>
      document.body.innerText.includes('open the address that the dashboard printed'),
    );
    expect(await stranger.$('button.danger')).toBeNull();
    await other.close();
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
