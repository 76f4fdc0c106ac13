import { describe, expect, it } from 'vitest';
import type { RunId } from '../../lib/core/ids.ts';
import { joinPool, leavePool, removeSession } from '../../lib/dispatch/modes/pool.ts';
import type { KubernetesFacts } from '../../lib/kubernetes/cluster/port.ts';
import { join, newLease } from '../../lib/run/session-lease.ts';
import { inPool, poolRef } from './world/in-session.ts';
import { jobMessage, World } from './world/world.ts';

const MINUTE = 60_000;
const NOTHING: KubernetesFacts = { deployment: { state: 'absent' }, pods: [], events: [] };

/** One whose first run has ended, with what high availability keeps. */
async function sessionWithMetadata(): Promise<{ readonly world: World; readonly ref: ReturnType<typeof poolRef> }> {
  const world = new World();
  const { runId } = await world.request(jobMessage(inPool));
  await world.drain();
  const ref = poolRef(world, runId);
  world.clusters.addHighAvailability(ref, `${ref.clusterId}-cluster-config-map`);
  return { world, ref };
}

describe('a pool', () => {
  it('starts a session for the first job, keeps it for the next, and stops it when it has been idle', async () => {
    const world = new World();
    const first = await world.request(jobMessage(inPool));
    const second = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = poolRef(world, first.runId);
    expect(poolRef(world, second.runId)).toEqual(ref);
    expect(world.clusters.created).toEqual([`flink/${ref.clusterId}#pool/small@ledger-1`]);
    for (const { runId } of [first, second]) expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    const before = world.clock.now();
    const third = await world.request(jobMessage(inPool));
    await world.drain();
    const { launchedAt = 0, runningAt = 0 } = world.record(third.runId).attempts[0] ?? {};
    expect(launchedAt).toBeGreaterThanOrEqual(before);
    expect(runningAt - launchedAt).toBeLessThan(world.sessions.restAfter);
    expect(world.leases.all).toMatchObject([{ state: 'open', runs: {} }]);
    await world.sweep();
    expect(world.clusters.standing(ref)).toBeDefined();
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    expect(world.clusters.standing(ref)).toBeUndefined();
    const later = await world.request(jobMessage(inPool));
    await world.drain();
    expect(world.states(later.runId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.clusters.created).toHaveLength(2);
  });

  it('is busy while a run has it, or a job of anybody runs in it', async () => {
    const world = new World();
    world.sessions.jobs = [{ runsAfter: 300, endsAfter: 20 * MINUTE }];
    const { runId } = await world.request(jobMessage(inPool));
    await world.drainFor(12 * MINUTE);
    const ref = poolRef(world, runId);
    await world.sweep();
    expect(world.clusters.standing(ref)).toBeDefined();
    await world.drain();
    world.sessions.addJob(ref, 'a person', { endsAfter: 7 * MINUTE });
    for (let minutes = 0; minutes < 10; minutes += 1) {
      world.clock.time += MINUTE;
      await world.sweep();
      expect(world.clusters.standing(ref)).toBeDefined();
    }
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    expect(world.clusters.standing(ref)).toBeUndefined();
  });

  it('loses no job that comes while its session is stopped', async () => {
    const world = new World();
    const first = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = poolRef(world, first.runId);
    world.clusters.looksToGo = 3;
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    expect(world.leases.all).toMatchObject([{ state: 'stopping' }]);
    const late = await world.request(jobMessage(inPool));
    await world.drain();
    expect(world.states(late.runId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.clusters.created).toHaveLength(2);
    expect(poolRef(world, late.runId)).toEqual(ref);
  });

  it('keeps a session that a run joins between the look of the sweep and its end', async () => {
    const world = new World();
    const first = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = poolRef(world, first.runId);
    world.clock.time += 6 * MINUTE;
    const write = world.leases.write.bind(world.leases);
    let late: RunId | undefined;
    world.leases.write = async (lease, version) => {
      if (lease.state === 'stopping' && late === undefined) {
        late = (await world.request(jobMessage(inPool))).runId;
        await world.drain();
      }
      return write(lease, version);
    };
    await world.sweep();
    expect(late).toBeDefined();
    expect(world.clusters.standing(ref)).toBeDefined();
    expect(world.states(late as RunId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.clusters.created).toHaveLength(1);
  });

  it('leaves nothing of a session whose Deployment went first', async () => {
    const { world, ref } = await sessionWithMetadata();
    world.clusters.vanish(ref);
    await world.sweep();
    expect(await world.clusters.remains(ref)).not.toEqual([]);
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    expect(await world.clusters.remains(ref)).toEqual([]);
    expect(world.leases.all).toEqual([]);
  });

  it('is made anew without what was left of it, so that Flink recovers no job of a run that has ended', async () => {
    const { world, ref } = await sessionWithMetadata();
    world.clusters.vanish(ref);
    const next = await world.request(jobMessage(inPool));
    await world.drain();
    expect(poolRef(world, next.runId)).toEqual(ref);
    expect(await world.clusters.remains(ref)).not.toContain(`ConfigMap/${ref.clusterId}-cluster-config-map`);
    expect(world.clusters.created).toHaveLength(2);
    expect(world.states(next.runId)).toEqual(['accepted', 'started', 'succeeded']);
  });

  it('keeps what belongs to a session that stands', async () => {
    const { world, ref } = await sessionWithMetadata();
    await world.request(jobMessage(inPool));
    await world.drain();
    expect(await world.clusters.remains(ref)).toContain(`ConfigMap/${ref.clusterId}-cluster-config-map`);
    expect(world.clusters.created).toHaveLength(1);
  });

  it('goes on with a stop that takes longer than one sweep', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = poolRef(world, runId);
    world.clusters.looksToGo = 2;
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    expect(world.clusters.standing(ref)).toBeUndefined();
    expect(world.leases.all).toMatchObject([{ state: 'stopping' }]);
    for (let sweeps = 0; sweeps < 3; sweeps += 1) await world.sweep();
    expect(world.leases.all).toEqual([]);
  });

  it('has its next session spared by who was to stop the last one', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = poolRef(world, runId);
    const target = await world.dispatch.targets('default');
    const session = { target: 'default', ...ref };
    // The lease is open by now: somebody else has finished the stop.
    expect(await removeSession(target, world.leases, session)).not.toEqual([]);
    expect(world.clusters.standing(ref)).toBeDefined();
    // There was none when it was looked for, under a lease that said `stopping`.
    const known = await world.leases.read(session);
    await world.leases.write(
      { ...newLease(session, { name: 'small', idleAfter: 1 }), state: 'stopping' },
      known?.version,
    );
    const cluster = { ...target.cluster, observe: () => Promise.resolve(NOTHING) };
    await removeSession({ ...target, cluster }, world.leases, session);
    expect(world.clusters.standing(ref)).toBeDefined();
    expect(await removeSession(target, world.leases, session)).toEqual([]);
    expect(world.clusters.standing(ref)).toBeUndefined();
  });

  it('keeps its session for an attempt when the one before it leaves late', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drainFor(200);
    const { job } = world.record(runId);
    const pool = job?.mode === 'session' ? job.session.pool : undefined;
    if (pool === undefined) throw new Error('no pool');
    const target = await world.dispatch.targets('default');
    const ref = { target: 'default', ...poolRef(world, runId) };
    const use = { target, leases: world.leases, ref, runId, since: world.clock.now() };
    const before = { ...use, since: use.since - MINUTE };
    await joinPool(use, pool);
    await leavePool(before, use.since);
    await joinPool(before, pool);
    expect(world.leases.all).toMatchObject([{ runs: { [runId]: use.since } }]);
    await leavePool(use, use.since);
    expect(world.leases.all).toMatchObject([{ runs: {} }]);
  });

  it('does not keep its session for a run that is closed', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = poolRef(world, runId);
    const key = { target: 'default', ...ref };
    const late = await world.leases.read(key);
    if (late === undefined) throw new Error('no lease');
    await world.leases.write(join(late.value, runId, world.clock.now()), late.version);
    await world.sweep();
    expect(world.leases.all).toMatchObject([{ runs: {}, idleSince: world.clock.now() }]);
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    expect(world.clusters.standing(ref)).toBeUndefined();
  });

  it('that cannot be made is refused at once, and one that is not configured too', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage({ ...inPool, session: { pool: 'big' } }));
    expect(world.record(runId).outcome).toMatchObject({ reason: 'InvalidSpec', field: 'session.pool' });
    const local = await world.request(
      jobMessage({ ...inPool, job: { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' } }),
    );
    expect(world.record(local.runId).outcome).toMatchObject({ reason: 'InvalidSpec', field: 'job.jarURI' });
    await world.drain();
  });
});
