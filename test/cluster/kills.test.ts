import { describe, expect, it, type TestContext } from 'vitest';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { type Run, startRun, type Spec } from './support/dispatcher.ts';
import { eventually } from './support/eventually.ts';
import { allTasksRun, ENDLESS, HIGH_AVAILABILITY, jobOf, WORD_COUNT } from './support/jobs.ts';
import { FLINK_VERSIONS, isLab, killPod, killProgram, turnsOf, type LabProgram } from './support/lab.ts';
import { createPool } from './support/pool.ts';
import { tenantSuite } from './support/tenant-suite.ts';

if (!isLab()) {
  console.warn('SKIPPED: test/cluster/kills.test.ts kills parts of the cluster: it needs that of test/cluster/lab/up');
}

const TIME_LIMIT = 600_000;
/** Seconds: for JVMs that start beside others, and for a verdict once there is something to see. */
const STARTED = 240;
const VERDICT = 90;
const pool = createPool(3);

describe.skipIf(!isLab())('kill -9', () => {
  const suite = tenantSuite();

  const start = (version: string, spec: Spec, test: TestContext): Promise<Run> =>
    startRun({ tenant: suite.tenant, version, spec }, test);

  /** Closed, and nothing of any attempt is left that a look with all rights would find. */
  async function expectGone(run: Run): Promise<void> {
    const { attempts } = await run.closed(120);
    for (const { clusterId } of attempts) {
      expect(await createClusters(suite.admin).remains({ ...run.ref, clusterId })).toEqual([]);
    }
    expect(run.published.filter(({ event }) => event.type.includes('.completed.'))).toHaveLength(1);
  }

  async function cancel(run: Run): Promise<void> {
    await run.cancel();
    const { event } = await run.completed(VERDICT);
    expect(event.data).toMatchObject({ state: 'canceled', reason: 'JobCanceled' });
  }

  const running = (run: Run): Promise<void> =>
    eventually('all tasks run', STARTED, async () => allTasksRun(await jobOf(suite.tenant, run.ref)));

  async function restartsOf(run: Run): Promise<number> {
    const { pods } = await createClusters(suite.admin).observe(run.ref);
    return pods.find(({ component }) => component === 'jobmanager')?.containers[0]?.restartCount ?? 0;
  }

  describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: TIME_LIMIT }, (version) => {
    const isTurn = turnsOf(version);

    it.runIf(isTurn())('of the JobManager ends the attempt, and the next one starts when it is gone', (test) =>
      pool(async () => {
        const run = await start(version, { ...ENDLESS, retry: { attempts: 2, backoff: '1s' } }, test);
        await run.event('started', STARTED);
        await killPod(run.ref, 'jobmanager');
        const killedAt = Date.now();
        const { event, at } = await run.event('attempt-failed', VERDICT);
        console.log(`${version} JobManager killed: ${(at - killedAt) / 1000} s ${event.data.message}`);
        expect(event.data).toMatchObject({ attempt: 1, reason: 'JobManagerCrashed' });
        expect(event.data.message).toContain('exit code 137');
        await run.until(({ state, attempts }) => attempts.length === 2 && state === 'running', STARTED);
        const [first, second] = run.record.attempts;
        expect(first?.removalVerifiedAt).toBeLessThanOrEqual(second?.launchedAt ?? 0);
        await cancel(run);
        await expectGone(run);
      }),
    );

    it('of the JobManager is survived with high availability', (test) =>
      pool(async () => {
        const run = await start(version, { ...ENDLESS, ...HIGH_AVAILABILITY }, test);
        await run.event('started', STARTED);
        await killPod(run.ref, 'jobmanager');
        await eventually('the JobManager restarts', VERDICT, async () => (await restartsOf(run)) === 1);
        await running(run);
        expect(run.record).toMatchObject({ state: 'running', attempts: [{ number: 1 }] });
        await cancel(run);
        await expectGone(run);
      }));

    it.runIf(isTurn())('of the TaskManager fails a job that does not restart', (test) =>
      pool(async () => {
        const run = await start(version, ENDLESS, test);
        await run.event('started', STARTED);
        await killPod(run.ref, 'taskmanager');
        const killedAt = Date.now();
        const { event, at } = await run.completed(VERDICT);
        console.log(`${version} TaskManager killed: ${(at - killedAt) / 1000} s ${event.data.message}`);
        expect(event.data).toMatchObject({ state: 'failed', reason: 'TaskManagerCrashed', flinkState: 'FAILED' });
        expect(event.data.message).toMatch(/taskmanager-1-1 .*exitCode=137/);
        await expectGone(run);
      }),
    );

    it.runIf(isTurn())('of the TaskManager is survived by a job that restarts', (test) =>
      pool(async () => {
        const restarts = { 'restart-strategy.type': 'fixed-delay', 'restart-strategy.fixed-delay.delay': '1 s' };
        const attempts = { 'restart-strategy.fixed-delay.attempts': '9' };
        const run = await start(
          version,
          { ...ENDLESS, flinkConfiguration: { ...ENDLESS.flinkConfiguration, ...restarts, ...attempts } },
          test,
        );
        await run.event('started', STARTED);
        await running(run);
        await killPod(run.ref, 'taskmanager');
        await eventually('a task stops', VERDICT, async () => !allTasksRun(await jobOf(suite.tenant, run.ref)));
        await running(run);
        expect(run.record.state).toBe('running');
        await cancel(run);
        await expectGone(run);
      }),
    );
  });

  /** One run that is on its way and one that runs, of each version one. */
  async function inTheMiddle(versions: readonly string[], test: TestContext): Promise<readonly [Run, Run]> {
    const [first = '', second = first] = versions;
    const endless = await start(first, ENDLESS, test);
    await endless.event('started', STARTED);
    const short = await start(second, WORD_COUNT, test);
    await short.until(({ state }) => state === 'starting', STARTED);
    return [endless, short];
  }

  it('of the kubelet is waited out', { timeout: TIME_LIMIT }, async (test) => {
    const [endless, short] = await inTheMiddle(FLINK_VERSIONS, test);
    const again = await killProgram('kubelet');
    test.onTestFinished(again);
    await cancel(endless);
    // Nobody ends its pods: it is not called clean.
    await endless.until(({ state }) => state === 'cleaning', VERDICT);
    expect(await createClusters(suite.admin).remains(endless.ref)).not.toEqual([]);
    await again();
    const { event } = await short.completed(STARTED);
    expect(event.data).toMatchObject({ state: 'succeeded', attempt: 1 });
    for (const run of [endless, short]) await expectGone(run);
  });

  it.for<LabProgram>(['apiserver', 'etcd'])('of the %s is waited out', { timeout: TIME_LIMIT }, async (name, test) => {
    const [endless, short] = await inTheMiddle(FLINK_VERSIONS.toReversed(), test);
    const again = await killProgram(name);
    test.onTestFinished(again);
    for (const run of [endless, short]) {
      const { stepError: trouble } = await run.until(({ stepError: trouble }) => (trouble?.count ?? 0) > 1, VERDICT);
      expect(trouble).toMatchObject({ reason: 'ClusterUnavailable' });
    }
    await again();
    const { event } = await short.completed(STARTED);
    expect(event.data).toMatchObject({ state: 'succeeded', attempt: 1 });
    await running(endless);
    expect(endless.record).toMatchObject({ state: 'running', attempts: [{ number: 1 }] });
    await cancel(endless);
    for (const run of [endless, short]) await expectGone(run);
  });
});
