import type { V1ConfigMap } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { StartAnswer } from '../../lib/kubernetes/cluster/port.ts';
import type { RunId } from '../../lib/core/ids.ts';
import { openAttempt } from '../../lib/dispatch/attempt-context.ts';
import { applicationMode } from '../../lib/dispatch/modes/application-mode.ts';
import type { ActiveRun } from '../../lib/run/record.ts';
import { expectClosedCleanly } from './world/closed-cleanly.ts';
import { FOREVER, jobMessage, World } from './world/simulated.ts';
import { ownerOf } from '../fakes/ids.ts';

const MINUTE = 60_000;
const HIGH_AVAILABILITY = {
  'high-availability.type': 'kubernetes',
  'high-availability.storageDir': 's3://state/ha',
};

function mayStart(world: World, runId: RunId): boolean {
  const permit = world.kubernetes.find('ConfigMap', `start-permit-${world.refOf(runId).clusterId}`);
  return (permit?.object as V1ConfigMap | undefined)?.data?.['start'] !== undefined;
}

/** What a launch of the run's attempt asks before it grants the permit. */
async function launchHeldUp(world: World, runId: RunId): Promise<(uid: string) => Promise<StartAnswer>> {
  const target = await world.dispatch.targets('default');
  let asks: ((uid: string) => Promise<StartAnswer>) | undefined;
  const apply: typeof target.cluster.apply = (_cluster, _owner, mayStart) => {
    asks = mayStart;
    return Promise.resolve('found');
  };
  const record = { ...world.record(runId), state: 'launching' } as ActiveRun;
  const held = { ...target, cluster: { ...target.cluster, apply } };
  await applicationMode.launch(await openAttempt(record, { ...world.dispatch, targets: () => Promise.resolve(held) }));
  if (asks === undefined) throw new Error('nobody asked');
  return asks;
}

/** A run with high availability that goes on for half a minute more, and whose cluster is kept for an hour then. */
async function runningAndKept(): Promise<{ readonly world: World; readonly runId: RunId }> {
  const world = new World();
  world.programs = [{ ...FOREVER, endsAfter: MINUTE, end: 'FINISHED' }];
  const { runId } = await world.request(
    jobMessage({ flinkConfiguration: HIGH_AVAILABILITY, afterEnd: { keepCluster: 'always', ttl: '1h' } }),
  );
  await world.drainFor(MINUTE / 2);
  return { world, runId };
}

describe('the permit to start a JobManager', () => {
  it('is withdrawn once the first one has started, long before the end', async () => {
    const world = new World();
    world.programs = [FOREVER];
    const { runId } = await world.request(jobMessage());
    await world.drainFor(MINUTE);
    expect(world.record(runId).state).toBe('running');
    expect(mayStart(world, runId)).toBe(false);
    expect(world.record(runId).attempts[0]).toMatchObject({
      deploymentUid: world.standing(world.refOf(runId))?.uid,
      jobManager: { restartCount: 0 },
      startRevokedAt: expect.any(Number) as number,
    });
    // At the first start, not at every look.
    expect(world.asked(/^k8s PATCH configmaps\/start-permit/)).toBe(1);
  });

  it('stays with high availability, until the outcome is on record and the cluster is kept', async () => {
    const { world, runId } = await runningAndKept();
    expect(world.record(runId).state).toBe('running');
    expect(mayStart(world, runId)).toBe(true);
    await world.drainFor(5 * MINUTE);
    expect(world.record(runId).state).toBe('cleaning');
    expect(mayStart(world, runId)).toBe(false);
    await world.drainFor(61 * MINUTE);
    expectClosedCleanly(world, runId);
  });

  it('is granted by a launch that was held up only as long as the run looks for what it made', async () => {
    const { world, runId } = await runningAndKept();
    const { uid = '' } = world.standing(world.refOf(runId)) ?? {};
    const heldUp = await launchHeldUp(world, runId);
    expect(await heldUp(uid)).toBe('grant');
    expect(await heldUp('of another Deployment')).toBe('rollback');
    await world.drainFor(5 * MINUTE);
    expect(world.record(runId).state).toBe('cleaning');
    expect(await heldUp(uid)).toBe('withhold');
    await world.drainFor(61 * MINUTE);
    expect(world.record(runId).state).toBe('closed');
    expect(await heldUp(uid)).toBe('rollback');
  });

  it('is asked for again when the API server did not take it', async () => {
    const world = new World();
    world.programs = [FOREVER];
    world.plans.strike(/ k8s PATCH configmaps\/start-permit/, 'refused');
    const { runId } = await world.request(jobMessage());
    await world.drainFor(MINUTE);
    expect(mayStart(world, runId)).toBe(false);
    expect(world.logged.some((line) => line.startsWith('the permit to start was not withdrawn'))).toBe(true);
  });
});

it('a cluster that someone made under the same name is not removed', async () => {
  const world = new World();
  world.programs = [FOREVER];
  const { runId } = await world.request(jobMessage());
  // Between two looks: one that is under way would have seen the cluster that was.
  await world.drainFor(5_200);
  const ref = world.refOf(runId);
  const theirs = ownerOf('f'.repeat(20));
  world.vanish(ref);
  world.stand(ref, theirs);
  await world.drain();
  expect(world.record(runId)).toMatchObject({ state: 'closed', outcome: { reason: 'ClusterDeleted' } });
  expect(world.ownerOf(ref)).toEqual(theirs);
});
