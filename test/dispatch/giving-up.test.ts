import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../lib/kubernetes/api/api.ts';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { expectClosedCleanly } from './world/closed-cleanly.ts';
import { HEALTHY, jobMessage, WAITS, World } from './world/simulated.ts';

const START = 60_000;

function twoAttempts(kind: 'batch' | 'streaming' = 'batch') {
  const job = { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' };
  const flinkConfiguration = { 'execution.runtime-mode': kind.toUpperCase() };
  return jobMessage({ job, flinkConfiguration, deadlines: { start: '60s' }, retry: { attempts: 2, backoff: '1s' } });
}

/** Takes the permit to start away, or a launch's right to grant one. */
const SEALS = /k8s (POST|PATCH) configmaps\/start-permit/;

/** Half-way in a launch. */
const refusesService = ({ method, path }: ApiRequest): string | undefined =>
  method === 'POST' && path.endsWith('/services')
    ? 'admission webhook "names" denied the request: Service word-count-rest is invalid'
    : undefined;

describe('an attempt that is given up while Flink has its job', () => {
  it('is over when its job has stopped, and keeps its own reason', async () => {
    const world = new World();
    world.programs = [WAITS, HEALTHY];
    const { runId } = await world.request(twoAttempts());
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'attempt-failed', 'started', 'succeeded']);
    const [first] = world.record(runId).attempts;
    expect(new Set(world.canceled).size).toBe(1);
    expect(first).toMatchObject({ outcome: { reason: 'StartDeadlineExceeded' } });
    expect(first).not.toHaveProperty('abortOutcome');
    expectClosedCleanly(world, runId);
  });

  it('has succeeded when its job was faster', async () => {
    const world = new World();
    world.programs = [{ ...WAITS, endsAfter: START + 5_000, end: 'FINISHED', deafToCancel: true }];
    const { runId } = await world.request(twoAttempts());
    await world.drain();
    expect(world.states(runId).at(-1)).toBe('succeeded');
    expect(world.created(runId)).toHaveLength(1);
    expectClosedCleanly(world, runId);
  });

  it.each([
    ['batch', undefined, 'unknown', 1],
    ['streaming', undefined, 'failed', 2],
    ['streaming', 'STREAMING', 'failed', 2],
    ['streaming', 'BATCH', 'unknown', 1],
  ] as const)('and whose %s job of type %s does not stop is %s', async (kind, type, state, clusters) => {
    const world = new World();
    world.programs = [
      { ...WAITS, deafToCancel: true, ...(type === undefined ? { untyped: true } : { batchMode: type === 'BATCH' }) },
    ];
    const { runId } = await world.request(twoAttempts(kind));
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state, reason: 'StartDeadlineExceeded' });
    expect(world.created(runId)).toHaveLength(clusters);
    expectClosedCleanly(world, runId);
  });
});

it('a run that is canceled before its JobManager has started ends at once, and none starts any more', async () => {
  const world = new World();
  world.kubernetes.startsNone = true;
  const { runId } = await world.request(jobMessage());
  await world.drainFor(2_000);
  const canceledAt = world.clock.now();
  await cancelRun(runId, { by: 'a test', reason: 'JobCanceled' }, world.dispatch);
  await world.drain();
  const { outcome, attempts } = world.record(runId);
  expect(outcome).toMatchObject({ state: 'canceled', message: expect.stringContaining('had not started') as string });
  expect((outcome?.at ?? Infinity) - canceledAt).toBeLessThan(5_000);
  expect(attempts[0]?.startRevokedAt).toBeLessThan(canceledAt + 5_000);
  const first = world.writes.find((write) => write.outcome !== undefined);
  expect(first?.attempts[0]).toHaveProperty('startRevokedAt');
  expectClosedCleanly(world, runId);
});

it('a launch that is refused half-way lets nothing of it begin', async () => {
  const world = new World();
  const { runId } = await world.request(jobMessage({ retry: { attempts: 1, backoff: '1s' } }));
  world.kubernetes.startsNone = true;
  world.kubernetes.forbids = refusesService;
  await world.drain();
  expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'InvalidConfiguration' });
  const asked = (pattern: RegExp): number => (world.sim.story ?? []).findIndex(({ what }) => pattern.test(what));
  expect(asked(SEALS)).toBeGreaterThan(0);
  expect(asked(SEALS)).toBeLessThan(asked(/^k8s DELETE deployments/));
  expectClosedCleanly(world, runId);
});

it('a launch that is given up is on record as such before its cluster is looked at', async () => {
  const world = new World();
  const { runId } = await world.request(jobMessage({ retry: { attempts: 1, backoff: '1s' } }));
  const onRecord: unknown[] = [];
  world.plans.before(SEALS, () => onRecord.push(world.record(runId).attempts.at(-1)?.startRevokedAt));
  world.kubernetes.forbids = refusesService;
  await world.drain();
  expect(onRecord[0]).toEqual(expect.any(Number));
  expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'InvalidConfiguration' });
  expectClosedCleanly(world, runId);
});

it('an attempt goes on when its JobManager has started between the last look and the seal', async () => {
  const world = new World();
  const { kubernetes } = world;
  kubernetes.startsNone = true;
  world.programs = [{ ...HEALTHY, endsAfter: 600_000 }];
  const { runId } = await world.request(jobMessage());
  await world.drainFor(2_000);
  world.plans.before(SEALS, () => {
    kubernetes.startsNone = false;
    for (const pod of kubernetes.all('Pod')) kubernetes.startPod(pod);
  });
  await cancelRun(runId, { by: 'a test', reason: 'JobCanceled' }, world.dispatch);
  await world.drain();
  const { outcome } = world.record(runId);
  expect(outcome).toMatchObject({ state: 'canceled', flinkState: 'CANCELED' });
  expect(world.canceled.length).toBeGreaterThan(0);
  expectClosedCleanly(world, runId);
});
