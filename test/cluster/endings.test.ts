import { describe, expect, it, type TestContext } from 'vitest';
import { apiPath } from '../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { SILENCE_LIMIT } from '../../lib/verdict/deadlines.ts';
import { must } from '../contract/support/kubernetes.ts';
import { type Run, startRun, type Published, type Spec } from './support/dispatcher.ts';
import { eventually } from './support/eventually.ts';
import { ENDLESS, WORD_COUNT } from './support/jobs.ts';
import { FLINK_VERSIONS, isLab, kubectl, turnsOf } from './support/lab.ts';
import { createPool } from './support/pool.ts';
import { openSlowRegistry } from './support/slow-registry.ts';
import { tenantSuite } from './support/tenant-suite.ts';

const hasRegistry = isLab() && process.env['NODE_IP'] !== undefined;
if (!hasRegistry) console.warn('SKIPPED: slow pulls in test/cluster/endings.test.ts: they need test/cluster/lab/enter');

const TIME_LIMIT = 600_000;
/** Seconds: for JVMs that start beside others, and for a verdict once there is something to see. */
const STARTED = 240;
const VERDICT = 60;
/** Longer than what a registry that fails is given (PATIENCE of lib/cluster). */
const SLOW = 35;
const pool = createPool(3);

const suite = tenantSuite();

const start = (version: string, spec: Spec, test: TestContext): Promise<Run> =>
  startRun({ tenant: suite.tenant, version, spec }, test);

async function startEndless(version: string, spec: Spec, test: TestContext): Promise<Run> {
  const run = await start(version, { ...ENDLESS, ...spec }, test);
  await run.event('started', STARTED);
  return run;
}

function tell(version: string, what: string, cause: number, { event, at }: Published): void {
  const { reason = '', message = '' } = event.data;
  console.log(`${version} ${what}: ${((at - cause) / 1000).toFixed(1)} s ${reason}: ${message}`);
  expect((at - cause) / 1000).toBeLessThan(VERDICT);
}

async function expectGone(run: Run): Promise<void> {
  await run.closed(120);
  expect(await createClusters(suite.admin).remains(run.ref)).toEqual([]);
}

/** The JobManager's REST endpoint: pods stay well without it. */
async function takeRestAway({ namespace, clusterId }: ClusterRef): Promise<() => Promise<void>> {
  const services = apiPath('api', 'v1', 'namespaces', namespace, 'services');
  const path = `${services}/${clusterId}-rest`;
  const service = (await must(suite.admin, { method: 'GET', path })) as {
    metadata: Record<string, unknown>;
    spec: object;
  };
  await must(suite.admin, { method: 'DELETE', path });
  const { name, labels, ownerReferences } = service.metadata;
  const spec = { ...service.spec, clusterIP: undefined, clusterIPs: undefined };
  const body = { metadata: { name, labels, ownerReferences }, spec };
  return async () => void (await must(suite.admin, { method: 'POST', path: services, body }));
}

describe.concurrent.each(FLINK_VERSIONS)('Flink %s', { timeout: TIME_LIMIT }, (version) => {
  const isTurn = turnsOf(version);

  it('a job that failed is told with its root exception', (test) =>
    pool(async () => {
      const { jarURI } = WORD_COUNT['job'] as { jarURI: string };
      const run = await start(version, { job: { jarURI, args: ['--input', '/no/such/file'] } }, test);
      const published = await run.completed(STARTED);
      tell(version, 'job-failed', run.record.outcome?.at ?? 0, published);
      expect(published.event.data).toMatchObject({ state: 'failed', reason: 'JobFailed', flinkState: 'FAILED' });
      expect(published.event.data.rootException).toMatch(/FileNotFoundException: File \/no\/such\/file does not exist/);
      await expectGone(run);
    }));

  it.runIf(isTurn())('a JobManager in the place of another has lost the job', (test) =>
    pool(async () => {
      const run = await startEndless(version, {}, test);
      const selector = `app=${run.ref.clusterId},component=jobmanager`;
      await kubectl('delete', 'pod', '-n', run.ref.namespace, '-l', selector, '--force', '--grace-period=0');
      const cause = Date.now();
      const published = await run.completed(STARTED);
      tell(version, 'jobmanager-replaced', cause, published);
      expect(published.event.data).toMatchObject({ state: 'failed', reason: 'JobLost' });
      await expectGone(run);
    }),
  );

  it.runIf(isTurn())('a cluster that somebody deletes is told', (test) =>
    pool(async () => {
      const run = await startEndless(version, {}, test);
      await kubectl('delete', 'deployment', run.ref.clusterId, '-n', run.ref.namespace, '--wait=false');
      const cause = Date.now();
      const published = await run.completed(VERDICT);
      tell(version, 'cluster-deleted', cause, published);
      expect(published.event.data).toMatchObject({ state: 'failed', reason: 'ClusterDeleted' });
      await expectGone(run);
    }),
  );

  it.runIf(isTurn())('a job that runs for too long is stopped', (test) =>
    pool(async () => {
      const run = await startEndless(version, { deadlines: { start: '4m', run: '10s' } }, test);
      const published = await run.completed(VERDICT);
      tell(version, 'run-deadline', (run.record.attempts[0]?.runningAt ?? 0) + 10_000, published);
      expect(published.event.data).toMatchObject({ state: 'failed', reason: 'RunDeadlineExceeded' });
      await expectGone(run);
    }),
  );

  it.runIf(isTurn())('a REST endpoint that is silent is no outcome, until it is so for very long', (test) =>
    pool(async () => {
      const run = await startEndless(version, {}, test);
      const giveBack = await takeRestAway(run.ref);
      await run.until(({ unreachableSince }) => unreachableSince !== undefined, VERDICT);
      run.clock.skip(SILENCE_LIMIT / 2);
      await eventually('it is looked at again', VERDICT, isLookedAtAgain(run));
      expect(run.record.state).toBe('running');
      await giveBack();
      await run.until(({ unreachableSince }) => unreachableSince === undefined, VERDICT);
      await takeRestAway(run.ref);
      await run.until(({ unreachableSince }) => unreachableSince !== undefined, VERDICT);
      run.clock.skip(SILENCE_LIMIT);
      const cause = Date.now();
      const published = await run.completed(STARTED);
      tell(version, 'rest-silent (after 30 min)', cause, published);
      expect(published.event.data).toMatchObject({ state: 'unknown', reason: 'RestUnreachable' });
      await expectGone(run);
    }),
  );

  it.runIf(isTurn() && hasRegistry)('an image that comes slowly is waited for', (test) =>
    pool(async () => {
      const registry = await openSlowRegistry(version);
      test.onTestFinished(() => registry.close());
      const run = await start(version, { ...WORD_COUNT, image: registry.image }, test);
      const slow = Date.now() + SLOW * 1000;
      await eventually('the pull is slow', SLOW + 10, () => Promise.resolve(Date.now() > slow));
      expect(run.record).toMatchObject({ state: 'starting' });
      registry.answer();
      const { event } = await run.completed(STARTED);
      expect(event.data).toMatchObject({ state: 'succeeded', attempt: 1 });
      await expectGone(run);
    }),
  );

  it.runIf(isTurn() && hasRegistry)(
    'an image that comes too slowly passes the deadline, and is not called broken',
    (test) =>
      pool(async () => {
        const registry = await openSlowRegistry(version);
        test.onTestFinished(() => registry.close());
        const deadlines = { start: `${SLOW}s` };
        const run = await start(version, { ...WORD_COUNT, image: registry.image, deadlines }, test);
        const published = await run.completed(SLOW + VERDICT);
        tell(version, 'start-deadline', (run.record.attempts[0]?.launchedAt ?? 0) + SLOW * 1000, published);
        expect(published.event.data).toMatchObject({ state: 'failed', reason: 'StartDeadlineExceeded' });
        // The kubelet ends no pod in the middle of a pull.
        registry.answer();
        await expectGone(run);
      }),
  );
});

function isLookedAtAgain(run: Run): () => Promise<boolean> {
  const before = run.record.step.number;
  return () => Promise.resolve(run.record.step.number > before + 1);
}
