import { describe, expect, it } from 'vitest';
import type { PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { DispatchError } from '../../lib/core/errors.ts';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { HEALTHY, healthyPods, type Behaviour } from './world/fake-flink.ts';
import { expectClosedCleanly } from './world/invariants.ts';
import { jobMessage, World } from './world/world.ts';

const START = 60_000;
/** Its job waits for slots until the start deadline is over. */
const WAITS: Behaviour = { restAfter: 600, waitsAfter: 1_000 };

function twoAttempts(kind: 'batch' | 'streaming' = 'batch') {
  const job = { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' };
  const flinkConfiguration = { 'execution.runtime-mode': kind.toUpperCase() };
  return jobMessage({ job, flinkConfiguration, deadlines: { start: '60s' }, retry: { attempts: 2, backoff: '1s' } });
}

/** The kubelet has not started the JobManager yet. */
const pendingPods: NonNullable<Behaviour['pods']> = (ref, createdAt) =>
  healthyPods(ref, createdAt)
    .filter(({ component }) => component === 'jobmanager')
    .map((pod): PodFacts => ({
      ...pod,
      phase: 'Pending',
      ready: false,
      containers: pod.containers.map((it) => ({ ...it, state: 'waiting', ready: false })),
    }));

describe('an attempt that is given up while Flink has its job', () => {
  it('is over when its job has stopped, and keeps its own reason', async () => {
    const world = new World();
    world.flink.behaviours = [WAITS, HEALTHY];
    const { runId } = await world.request(twoAttempts());
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'attempt-failed', 'started', 'succeeded']);
    const [first] = world.record(runId).attempts;
    expect(new Set(world.flink.cancels).size).toBe(1);
    expect(first).toMatchObject({ outcome: { reason: 'StartDeadlineExceeded' } });
    expect(first).not.toHaveProperty('abortOutcome');
    await expectClosedCleanly(world, runId);
  });

  it('has succeeded when its job was faster', async () => {
    const world = new World();
    world.flink.behaviours = [{ ...WAITS, endsAfter: START + 5_000, end: 'FINISHED', deafToCancel: true }];
    const { runId } = await world.request(twoAttempts());
    await world.drain();
    expect(world.states(runId).at(-1)).toBe('succeeded');
    expect(world.created(runId)).toHaveLength(1);
    await expectClosedCleanly(world, runId);
  });

  it.each([
    ['batch', undefined, 'unknown', 1],
    ['streaming', undefined, 'failed', 2],
    ['streaming', 'STREAMING', 'failed', 2],
    ['streaming', 'BATCH', 'unknown', 1],
  ] as const)('and whose %s job of type %s does not stop is %s', async (kind, type, state, clusters) => {
    const world = new World();
    world.flink.behaviours = [{ ...WAITS, deafToCancel: true, ...(type === undefined ? {} : { runtime: { type } }) }];
    const { runId } = await world.request(twoAttempts(kind));
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state, reason: 'StartDeadlineExceeded' });
    expect(world.created(runId)).toHaveLength(clusters);
    await expectClosedCleanly(world, runId);
  });
});

it('a run that is canceled before its JobManager has started ends at once, and none starts any more', async () => {
  const world = new World();
  world.flink.behaviours = [{ pods: pendingPods }];
  const { runId } = await world.request(jobMessage());
  await world.drainFor(2_000);
  const canceledAt = world.clock.now();
  await cancelRun(runId, { by: 'a test', reason: 'JobCanceled' }, world.dispatch);
  await world.drain();
  const { outcome, attempts } = world.record(runId);
  expect(outcome).toMatchObject({ state: 'canceled', message: expect.stringContaining('had not started') as string });
  expect((outcome?.at ?? Infinity) - canceledAt).toBeLessThan(5_000);
  expect(attempts[0]?.startRevokedAt).toBeLessThanOrEqual(outcome?.at ?? 0);
  await expectClosedCleanly(world, runId);
});

it('a launch that is refused half-way lets nothing of it begin', async () => {
  const world = new World();
  const { runId } = await world.request(jobMessage({ retry: { attempts: 1, backoff: '1s' } }));
  world.flink.behaviours = [{ pods: pendingPods }];
  const error = new DispatchError('InvalidConfiguration', 'Service word-count-rest is invalid');
  world.clusters.faults.push({ method: 'apply', when: 'after', error });
  await world.drain();
  expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'InvalidConfiguration' });
  expect(world.clusters.calls.indexOf('withdraw')).toBeLessThan(world.clusters.calls.indexOf('remove'));
  expect(world.clusters.calls).toContain('withdraw');
  await expectClosedCleanly(world, runId);
});

type Cluster = Awaited<ReturnType<World['dispatch']['targets']>>['cluster'];

/** `before` and `after` each withdrawal of a permit. */
async function aroundRevoke(
  world: World,
  { before, after }: { before?: () => void; after?: () => void },
): Promise<void> {
  const target = await world.dispatch.targets('default');
  const revoke: Cluster['revoke'] = async (...asked) => {
    before?.();
    await target.cluster.revoke(...asked);
    after?.();
  };
  // Methods of the watched cluster are no properties of its own.
  const cluster = new Proxy(target.cluster, {
    get: (it, key) => (key === 'revoke' ? revoke : Reflect.get(it, key)) as unknown,
  });
  Object.assign(world.dispatch, { targets: () => Promise.resolve({ ...target, cluster }) });
}

it('a launch that is given up is on record as such before its cluster is looked at', async () => {
  const world = new World();
  const { runId } = await world.request(jobMessage({ retry: { attempts: 1, backoff: '1s' } }));
  const onRecord: unknown[] = [];
  await aroundRevoke(world, { before: () => onRecord.push(world.record(runId).attempts.at(-1)?.startRevokedAt) });
  const error = new DispatchError('InvalidConfiguration', 'Service word-count-rest is invalid');
  world.clusters.faults.push({ method: 'apply', when: 'before', error });
  await world.drain();
  expect(onRecord[0]).toEqual(expect.any(Number));
  expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'InvalidConfiguration' });
  await expectClosedCleanly(world, runId);
});

it('an attempt goes on when its JobManager has started between the last look and the seal', async () => {
  const world = new World();
  let hasStarted = false;
  world.flink.behaviours = [
    { ...HEALTHY, endsAfter: 600_000, pods: (...at) => (hasStarted ? healthyPods(...at) : pendingPods(...at)) },
  ];
  const { runId } = await world.request(jobMessage());
  await world.drainFor(2_000);
  await aroundRevoke(world, { after: () => (hasStarted = true) });
  await cancelRun(runId, { by: 'a test', reason: 'JobCanceled' }, world.dispatch);
  await world.drain();
  const { outcome } = world.record(runId);
  expect(outcome).toMatchObject({ state: 'canceled', flinkState: 'CANCELED' });
  expect(world.flink.cancels.length).toBeGreaterThan(0);
  await expectClosedCleanly(world, runId);
});
