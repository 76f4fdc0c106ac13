import { LEDGER } from '../prove/functions.ts';
import type { JobResult } from '../../lib/flink/job-manager.ts';
import type { RunId } from '../../lib/core/ids.ts';
import { recordKey } from '../../lib/run/record.ts';
import { CRASHES } from '../prove/servers/flink.ts';
import { FOREVER, HEALTHY, jobMessage, World } from '../dispatch/world/simulated.ts';
import { createS3SampleStore } from '../../lib/run/store/history/s3-sample-store.ts';
import { sampleAt } from '../run/samples/sample.ts';
import { FakeS3 } from '../fakes/s3.ts';

/** What a job may be called or say, and a page must show as text. */
export const HOSTILE = `<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>"'&{{7*7}}`;

function failing(message: string): Partial<JobResult> {
  const root = `java.lang.IllegalStateException: ${message}`;
  const stackTrace = `${root}\n\tat org.example.Orders.map(Orders.java:41)\n\tat java.lang.Thread.run(Thread.java:840)`;
  return { rootException: { message: root, stackTrace } };
}

const NAMES = ['clicks-hourly', 'word-count', 'invoices', 'clicks-hourly', 'fraud-scores'];

export interface Shown {
  readonly s3: FakeS3;
  readonly now: number;
  readonly succeeded: RunId;
  readonly failed: RunId;
  readonly running: RunId;
  readonly waiting: RunId;
}

/** A ledger as the functions leave it, in the simulation, with runs of four kinds; `before` of them runs that went well. */
export async function shownLedger({ message = HOSTILE, before = 1 } = {}): Promise<Shown> {
  const world = new World();
  const asked = async (spec: Record<string, unknown>): Promise<RunId> => (await world.request(jobMessage(spec))).runId;
  world.programs = [HEALTHY];
  let succeeded = await asked({ name: 'word-count' });
  await world.drain();
  for (let n = 1; n < before; n += 1) {
    await world.pass(240_000);
    succeeded = await asked({ name: NAMES[n % NAMES.length] });
    await world.drain();
  }
  world.programs = [CRASHES, { ...HEALTHY, end: 'FAILED', result: failing(message) }];
  const failed = await asked({ name: 'orders-import', retry: { attempts: 2, backoff: '10s' } });
  await world.drain();
  world.programs = [FOREVER];
  const turn = { concurrency: { key: 'totals', policy: 'queue' } };
  const running = await asked({ name: 'totals', ...turn });
  await world.pass(30_000);
  const waiting = await asked({ name: 'totals', ...turn });
  await world.pass(30_000);
  const s3 = new FakeS3();
  for (const path of world.s3.keys(`${LEDGER}/`)) s3.store(path.replace(LEDGER, 'ledger'), world.s3.text(path) ?? '');
  return { s3, now: world.clock.now(), succeeded, failed, running, waiting };
}

/** A log of the run's second attempt, as its program printed it. */
export function storeLog({ s3 }: Shown, runId: RunId, name: string, text: string): void {
  s3.store(`ledger/runs/${runId}/evidence/2/${name}`, text);
  const key = `ledger/${recordKey(runId)}`;
  const record = JSON.parse(s3.text(key) ?? '{}') as { attempts: { artifacts: string[] }[] };
  record.attempts[1]?.artifacts.push(name);
  s3.store(key, JSON.stringify(record));
}

/** Samples of a job of two vertices, the second of which has that name. */
export async function storeSamples({ s3, now }: Shown, runId: RunId, attempt: number, name: string): Promise<void> {
  const store = createS3SampleStore(s3.bucket);
  for (let n = 0; n < 24; n += 1) {
    const at = now - (24 - n) * 10_000;
    const rate = 900 + 400 * Math.sin(n / 3);
    const records = Math.round(rate * n * 10);
    const sample = sampleAt(at, { parallelism: 2, records, busy: n * 9_000, watermark: at - 4_000 - n * 100 });
    const [source, sink] = sample.job.vertices;
    const job = { ...sample.job, vertices: [source, sink && { ...sink, name }].filter((one) => one !== undefined) };
    const checkpoint = {
      id: n,
      at: at - 3_000,
      duration: 300 + 20 * n,
      bytes: 4_000_000 + n * 200_000,
      written: 600_000,
    };
    const heap = { used: (200 + 10 * (n % 7)) * 2 ** 20, max: 512 * 2 ** 20 };
    await store.keep({ runId, attempt, number: n + 1 }, { ...sample, job, checkpoint, heap, restarts: n < 12 ? 0 : 1 });
  }
}
