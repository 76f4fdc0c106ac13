import { runIdFor } from '../../lib/core/ids.ts';
import { createS3RunIndex } from '../../lib/run/store/s3-run-index.ts';
import { rowOf, rowText } from '../../lib/run/row.ts';
import { FakeS3 } from '../fakes/s3.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { openBrowser } from '../page/chromium.ts';
import { startDashboard } from '../page/stage.ts';

/**
 * How long it takes from an address typed to the first page of runs drawn, of a ledger with 10,000 runs in a simulated S3 that
 * answers at once, and how many requests that takes: `npm run bench:page`. Real requests take some 20 to 100 ms each.
 */
const RUNS = 10_000;
const SAMPLES = 5;

const from = new FakeS3();
const sample = sampleRecord({ state: 'closed' });
for (let n = 0; n < RUNS; n += 1) {
  const run = {
    ...sample,
    runId: runIdFor(String(n)),
    name: `job-${n % 100}`,
    createdAt: sample.createdAt + n * 60_000,
  };
  from.store(`ledger/index/rows/${rowText(rowOf(run))}`, '');
}
while ((await createS3RunIndex(from.bucket).fold()) > 0);

const [browser, stage] = await Promise.all([openBrowser(), startDashboard(from)]);
for (const [what, path] of [
  ['the newest', '/runs'],
  ['those of a name, of all', '/runs?name=job-7'],
] as const) {
  const took: number[] = [];
  let asked = 0;
  for (let n = 0; n < SAMPLES; n += 1) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    stage.s3.asked.length = 0;
    const begun = performance.now();
    await page.goto(new URL(path, stage.url).href);
    await page.waitForSelector('a.row-link');
    took.push(performance.now() - begun);
    asked = stage.s3.asked.length;
    await context.close();
  }
  const answered: number[] = [];
  for (let n = 0; n < SAMPLES; n += 1) {
    const begun = performance.now();
    await (await fetch(new URL(`/api${path}`, stage.url))).text();
    answered.push(performance.now() - begun);
  }
  console.log(
    `${what} of ${RUNS}: drawn after ${median(took)} ms, answered in ${median(answered)} ms, ${asked} requests of S3`,
  );
}
function median(times: readonly number[]): string {
  return (times.toSorted((a, b) => a - b)[Math.floor(SAMPLES / 2)] ?? NaN).toFixed(0);
}

await browser.close();
await stage.stop();
