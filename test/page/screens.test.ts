import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deploymentKey } from '../../lib/deployment/record.ts';
import { recordKey } from '../../lib/run/record.ts';
import { HOSTILE, shownLedger, storeSamples, type Shown } from '../view/ledger-of.ts';
import { storeStream, type ShownStream } from '../view/stream-of.ts';
import { CHROMIUM, openBrowser } from './chromium.ts';
import { startDashboard, type Stage } from './stage.ts';
import { Visit } from './visit.ts';

describe.skipIf(CHROMIUM === undefined && process.env['CI'] === undefined)('the screens', () => {
  let browser: Browser;
  let visit: Visit;
  let shown: Shown;
  let stream: ShownStream;
  let stage: Stage;

  beforeAll(async () => {
    shown = await shownLedger();
    stream = await storeStream(shown.s3);
    await storeSamples(shown, shown.failed, 2, HOSTILE);
    [browser, stage] = await Promise.all([openBrowser(), startDashboard(shown.s3, '--allow-actions')]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await stage?.stop();
  });
  beforeEach(async () => {
    await visit?.page.close();
    visit = await Visit.begin(browser);
  });

  const open = (path: string): Promise<void> => visit.open(stage.url, path);
  const stored = (key: string): Record<string, unknown> =>
    JSON.parse(stage.s3.text(`ledger/${key}`) ?? '{}') as Record<string, unknown>;
  const screens = (): readonly (readonly [string, string])[] => [
    ['runs', '/runs'],
    ['a run that failed', `/runs/${shown.failed}`],
    ['a run that goes on', `/runs/${shown.running}`],
    ['a run that waits', `/runs/${shown.waiting}`],
    ['streams', '/streams'],
    ['a stream', `/streams/${stream.id}`],
    ['queues', '/queues'],
    ['schedules', '/schedules'],
    ['targets', '/targets'],
  ];

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
    ['dark', 360],
  ])(
    'have no violation that axe finds, %s, %i pixels wide; nothing is wider than the screen',
    async (scheme, width) => {
      await visit.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await visit.page.setViewport({ width, height: 800 });
      for (const [name, path] of screens()) {
        await open(path);
        await visit.page.$$eval('details', (all) => all.forEach((one) => (one.open = true)));
        await visit.loaded();
        const { violations, overflow } = await visit.faults();
        expect(violations, name).toEqual([]);
        expect(overflow, `${name}: pixels that lie beyond the screen`).toBeLessThanOrEqual(0);
      }
      expect(visit.complaints).toEqual([]);
    },
  );

  it('show pods, the graph and what was sampled, and take names for text', async () => {
    await open(`/runs/${shown.failed}`);
    await visit.until('Pods of attempt 2');
    await visit.until('Backpressured');
    expect(await visit.page.$$eval('.graph .node', (all) => all.length)).toBe(2);
    expect(await visit.page.$$eval('.plot path.line', (all) => all.map((one) => one.getAttribute('d')))).toContainEqual(
      expect.stringMatching(/^M[\d. ]+L/),
    );
    expect(await visit.texts('td[data-name=Vertex]')).toEqual(['Source', HOSTILE]);
    expect(await visit.page.evaluate(() => 'hurt' in window)).toBe(false);
    expect(visit.complaints).toEqual([]);
  });

  it('lead from a line of evidence into the file that it is from', async () => {
    await open(`/runs/${shown.failed}`);
    const line = await visit.page.waitForSelector('.evidence a');
    await line?.click();
    await visit.page.waitForFunction(() => location.search.includes('log=2%2Frest.json'));
    await visit.page.waitForFunction(() => document.querySelector('pre.log')?.textContent?.includes('"overview"'));
  });

  it('mark what is found in a log', async () => {
    await open(`/runs/${shown.failed}?log=2/decision.json&find=application-ended`);
    await visit.page.waitForSelector('pre.log mark');
    expect(await visit.texts('pre.log mark')).toContain('application-ended');
  });

  it('show a stream’s runs and changes, and suspend it after a question', async () => {
    await open(`/streams/${stream.id}`);
    await visit.page.$$eval('summary', (all) => all[0]?.click());
    await visit.until('orders-v2');
    expect(await visit.texts('td[data-name=Field]')).toEqual(['job.args']);
    const key = deploymentKey(stream.id);
    const { wanted } = stored(key);
    await visit.press('Suspend');
    await visit.until(`asked: generation ${Number(wanted) + 1}`);
    expect(stored(key)['wanted']).toBe(Number(wanted) + 1);
  });

  it('show when a schedule fired, missed and fires next', async () => {
    await open('/schedules');
    await visit.until('Firings of totals-hourly');
    const missed = await visit.page.$$eval('.firing.missed', (all) => all.map((one) => one.getAttribute('aria-label')));
    expect(missed.length).toBeGreaterThan(0);
    expect(missed[0]).toMatch(/: missed$/);
  });

  it('cancel a run after a question, with the token of its address alone', async () => {
    await open(`/runs/${shown.waiting}`);
    expect(visit.page.url()).not.toContain('token');
    await visit.press('Cancel');
    await visit.until('Asked to stop by');
    expect(stored(recordKey(shown.waiting))).toMatchObject({ cancelRequested: { reason: 'JobCanceled' } });
    const context = await browser.createBrowserContext();
    const stranger = await context.newPage();
    await stranger.goto(`${new URL(stage.url).origin}/runs/${shown.running}`);
    await stranger.waitForFunction(() => document.body.innerText.includes('the address that the dashboard printed'));
    expect(await stranger.$('button.danger')).toBeNull();
    await context.close();
  });

  it('give a report that opens without a network, has no fault, and does nothing of what it says', async () => {
    const html = stage.s3.text(`ledger/runs/${shown.failed}/report.html`) ?? '';
    const file = join(tmpdir(), `report-${shown.failed}.html`);
    writeFileSync(file, html);
    await visit.page.setOfflineMode(true);
    await visit.page.setBypassCSP(false);
    await visit.page.goto(`file://${file}`);
    expect(await visit.text('h1')).toContain('orders-import');
    expect(await visit.page.$eval('body', (body) => getComputedStyle(body).maxWidth)).not.toBe('none');
    expect(await visit.page.evaluate(() => 'hurt' in window)).toBe(false);
    expect(await visit.page.$$eval('img, script', (all) => all.length)).toBe(0);
    expect(visit.complaints).toEqual([]);
    const { violations } = await visit.faults();
    expect(violations).toEqual([]);
  });
});
