import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureArchivedJava } from '../../infra/local/flink/class-archive.ts';
import { ensureFlink } from '../../infra/local/flink/distribution.ts';
import type { ProcessGroup } from '../../infra/local/process.ts';
import { silent } from '../../infra/local/progress.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { lacking } from './lacking.ts';
import { installAirflow, installProvider } from './provider.ts';
import { startAirflow, type Airflow } from './server.ts';

describe.skipIf(lacking !== '')('the Airflow provider, with Airflow and the deployed functions', () => {
  let folder: string;
  let stack: Stack;
  let airflow: Airflow;
  let triggerer: ProcessGroup;
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'airflow-test-'));
    stops.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    const installing = installAirflow(silent);
    await ensureArchivedJava(await ensureFlink({ log: () => undefined }));
    stack = await startStack({ progress: silent });
    stops.push(() => stack.stop());
    const python = await installing;
    const environment = {
      ...stack.aws.environment,
      PYTHONPATH: await installProvider(python, folder),
      FLINK_DISPATCH_QUEUE_URL: stack.deployment.messageQueueUrl,
      FLINK_DISPATCH_LEDGER_BUCKET: stack.deployment.ledgerBucket,
    };
    airflow = await startAirflow({ python, folder, environment });
    stops.push(() => airflow.stop());
    triggerer = await airflow.startTriggerer();
    const { orderTotals, counting } = stack.cluster.examples;
    await stack.storeJob('order-totals', { name: 'order-totals' }, orderTotals);
    const job = { jarURI: `s3://${stack.deployment.ledgerBucket}/jobs/endless.jar`, args: [await listener(), 'first'] };
    await stack.storeJob('endless', { name: 'endless', job }, counting);
  });

  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  /** Hears of each number that the endless job counts. Answers its URL. */
  async function listener(): Promise<string> {
    const server = createServer((_request, response) => response.writeHead(204).end());
    stops.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  // Airflow's API takes a tenth of a second of a processor for each answer.
  const wait = { timeout: 240_000, interval: 1_000 };

  /** Those that the task has asked for. */
  async function runsOf(dag: string, id: string): Promise<readonly RunRecord[]> {
    const key = `airflow/${dag}/${encodeURIComponent(id)}/`;
    const isOf = ({ source }: RunRecord) => source.kind === 'message' && source.idempotencyKey?.startsWith(key);
    return (await stack.client.records()).filter(isOf);
  }

  const taskEnds = (dag: string, id: string, state: string): Promise<void> =>
    expect.poll(async () => (await airflow.task(dag, id)).state, wait).toBe(state);

  /** Until a triggerer, and another one than before, waits for it. Answers which. */
  async function deferred(dag: string, id: string, before = 0): Promise<number> {
    let waiting = 0;
    const situation = async () => {
      const { state, triggerer_job: job } = await airflow.task(dag, id);
      waiting = job?.id ?? 0;
      return [state, waiting > before];
    };
    await expect.poll(situation, wait).toEqual(['deferred', true]);
    return waiting;
  }

  const logsOf = (dag: string, id: string): string =>
    join(folder, 'logs', `dag_id=${dag}`, `run_id=${id}`, 'task_id=run');

  const states = async (dag: string, id: string): Promise<readonly string[]> =>
    (await runsOf(dag, id)).map(({ state }) => state);

  it('waits on, with one run, after its triggerer was killed, and pushes what the run has told', async () => {
    const id = await airflow.trigger('order-totals');
    const first = await deferred('order-totals', id);
    process.kill(-triggerer.pid, 'SIGKILL');
    expect(await triggerer.exited).toBe('SIGKILL');
    triggerer = await airflow.startTriggerer();
    await taskEnds('order-totals', id, 'success');
    const logs = await readdir(logsOf('order-totals', id));
    const triggerers = logs.flatMap((name) => /trigger\.(\d+)\.log$/.exec(name)?.[1] ?? []).map(Number);
    expect(Math.max(...triggerers), 'another triggerer went on').toBeGreaterThan(first);
    const [run, ...more] = await runsOf('order-totals', id);
    expect(more).toEqual([]);
    expect(await airflow.xcom('order-totals', id, 'run_id')).toBe(run?.runId);
    const { event } = await stack.nextEvent(
      ({ subject, type }) => subject === run?.runId && type === 'io.flink-dispatch.run.completed.v1',
    );
    expect(event.data.accumulators).toMatchObject({ orders: '1000' });
    expect(await airflow.xcom('order-totals', id, 'return_value')).toEqual(event.data);
  });

  it('fails without a retry as the run does, and is another run once it is cleared', async () => {
    const id = await airflow.trigger('unknown');
    await taskEnds('unknown', id, 'failed');
    const first = await airflow.xcom('unknown', id, 'run_id');
    await airflow.clear('unknown', id);
    await expect.poll(() => airflow.xcom('unknown', id, 'run_id').catch(() => first), wait).not.toBe(first);
    await taskEnds('unknown', id, 'failed');
    // It may be tried twice, and was cleared once.
    expect((await airflow.task('unknown', id)).try_number).toBe(2);
    for (const runId of [first, await airflow.xcom('unknown', id, 'run_id')]) {
      const { outcome } = (await stack.client.record(String(runId))) ?? {};
      expect(outcome).toMatchObject({ state: 'rejected', reason: 'UnknownJob' });
    }
    // What is rejected is a dead letter as well.
    expect((await stack.client.takeDeadLetters()).length).toBeGreaterThan(0);
    const log = await readFile(join(logsOf('unknown', id), 'attempt=1.log'), 'utf8');
    expect(log).toContain(`run ${String(first)} rejected: UnknownJob`);
  });

  it('cancels the run of a task that is marked failed while it waits, and not when its triggerer stops', async () => {
    const id = await airflow.trigger('endless');
    const first = await deferred('endless', id);
    await expect.poll(() => states('endless', id), wait).toEqual(['running']);
    await triggerer.stop(20_000);
    triggerer = await airflow.startTriggerer();
    await deferred('endless', id, first);
    const before = await runsOf('endless', id);
    expect(before.map(({ state, cancelRequested }) => [state, cancelRequested])).toEqual([['running', undefined]]);
    await airflow.markFailed('endless', id);
    const outcome = async (): Promise<unknown> => (await runsOf('endless', id)).map((run) => run.outcome?.state);
    await expect.poll(outcome, wait).toEqual(['canceled']);
    expect((await airflow.task('endless', id)).state).toBe('failed');
    await expect.poll(() => states('endless', id), wait).toEqual(['closed']);
    await expect.poll(() => stack.remains(), { timeout: 20_000, interval: 250 }).toEqual([]);
  });
});
