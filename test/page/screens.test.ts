import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deploymentKey } from '../../lib/deployment/record.ts';
import { recordKey } from '../../lib/run/record.ts';
import { HOSTILE, shownLedger, storeSamples } from '../view/ledger-of.ts';
import { storeStream, type ShownStream } from '../view/stream-of.ts';
import { CHROMIUM } from './chromium.ts';
import { onStage } from './on-stage.ts';

describe.skipIf(CHROMIUM === undefined && process.env['CI'] === undefined)('the screens', () => {
  let stream: ShownStream;
  const on = onStage(async () => {
    const shown = await shownLedger();
    stream = await storeStream(shown.s3);
    await storeSamples(shown, shown.failed, 2, HOSTILE);
    return shown;
  });
  const open = (path: string): Promise<void> => on.visit.open(on.stage.url, path);
  const stored = (key: string): Record<string, unknown> =>
    JSON.parse(on.stage.s3.text(`ledger/${key}`) ?? '{}') as Record<string, unknown>;
  const screens = (): readonly (readonly [string, string])[] => [
    ['runs', '/runs'],
    ['a run that failed', `/runs/${on.shown.failed}`],
    ['a run that goes on', `/runs/${on.shown.running}`],
    ['a run that waits', `/runs/${on.shown.waiting}`],
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
      await on.visit.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await on.visit.page.setViewport({ width, height: 800 });
      for (const [name, path] of screens()) {
        await open(path);
        await on.visit.page.$$eval('details', (all) => all.forEach((one) => (one.open = true)));
        await on.visit.loaded();
        const { violations, overflow } = await on.visit.faults();
        expect(violations, name).toEqual([]);
        expect(overflow, `${name}: pixels that lie beyond the screen`).toBeLessThanOrEqual(0);
      }
      expect(on.visit.complaints).toEqual([]);
    },
  );

  it('show pods, the graph and what was sampled, and take names for text', async () => {
    await open(`/runs/${on.shown.failed}`);
    await on.visit.until('Pods of attempt 2');
    await on.visit.until('Backpressured');
    expect(await on.visit.page.$$eval('.graph .node', (all) => all.length)).toBe(2);
    expect(
      await on.visit.page.$$eval('.plot path.line', (all) => all.map((one) => one.getAttribute('d'))),
    ).toContainEqual(expect.stringMatching(/^M[\d. ]+L/));
    expect(await on.visit.texts('td[data-name=Vertex]')).toEqual(['Source', HOSTILE]);
    expect(await on.visit.page.evaluate(() => 'hurt' in window)).toBe(false);
    expect(on.visit.complaints).toEqual([]);
  });

  it('lead from a line of evidence into the file that it is from', async () => {
    await open(`/runs/${on.shown.failed}`);
    const line = await on.visit.page.waitForSelector('.evidence a');
    await line?.click();
    await on.visit.page.waitForFunction(() => location.search.includes('log=2%2Frest.json'));
    await on.visit.page.waitForFunction(() => document.querySelector('pre.log')?.textContent?.includes('"overview"'));
  });

  it('mark what is found in a log', async () => {
    await open(`/runs/${on.shown.failed}?log=2/decision.json&find=application-ended`);
    await on.visit.page.waitForSelector('pre.log mark');
    expect(await on.visit.texts('pre.log mark')).toContain('application-ended');
  });

  it('show a stream’s runs and changes, and suspend it after a question', async () => {
    await open(`/streams/${stream.id}`);
    await on.visit.page.$$eval('summary', (all) => all[0]?.click());
    await on.visit.until('orders-v2');
    expect(await on.visit.texts('td[data-name=Field]')).toEqual(['job.args']);
    const key = deploymentKey(stream.id);
    const { wanted } = stored(key);
    await on.visit.press('Suspend');
    await on.visit.until(`asked: generation ${Number(wanted) + 1}`);
    expect(stored(key)['wanted']).toBe(Number(wanted) + 1);
  });

  it('show when a schedule fired, missed and fires next', async () => {
    await open('/schedules');
    await on.visit.until('Firings of totals-hourly');
    const missed = await on.visit.page.$$eval('.firing.missed', (all) =>
      all.map((one) => one.getAttribute('aria-label')),
    );
    expect(missed.length).toBeGreaterThan(0);
    expect(missed[0]).toMatch(/: missed$/);
  });

  it('cancel a run after a question, with the token of its address alone', async () => {
    await open(`/runs/${on.shown.waiting}`);
    expect(on.visit.page.url()).not.toContain('token');
    await on.visit.press('Cancel');
    await on.visit.until('Asked to stop by');
    expect(stored(recordKey(on.shown.waiting))).toMatchObject({ cancelRequested: { reason: 'JobCanceled' } });
    const context = await on.browser.createBrowserContext();
    const stranger = await context.newPage();
    await stranger.goto(`${new URL(on.stage.url).origin}/runs/${on.shown.running}`);
    await stranger.waitForFunction(() => document.body.innerText.includes('the address that the dashboard printed'));
    expect(await stranger.$('button.danger')).toBeNull();
    await context.close();
  });

  it('give a report that opens without a network, has no fault, and does nothing of what it says', async () => {
    const html = on.stage.s3.text(`ledger/runs/${on.shown.failed}/report.html`) ?? '';
    const file = join(tmpdir(), `report-${on.shown.failed}.html`);
    writeFileSync(file, html);
    await on.visit.page.setOfflineMode(true);
    await on.visit.page.setBypassCSP(false);
    await on.visit.page.goto(`file://${file}`);
    expect(await on.visit.text('h1')).toContain('orders-import');
    expect(await on.visit.page.$eval('body', (body) => getComputedStyle(body).maxWidth)).not.toBe('none');
    expect(await on.visit.page.evaluate(() => 'hurt' in window)).toBe(false);
    expect(await on.visit.page.$$eval('img, script', (all) => all.length)).toBe(0);
    expect(on.visit.complaints).toEqual([]);
    const { violations } = await on.visit.faults();
    expect(violations).toEqual([]);
  });
});
