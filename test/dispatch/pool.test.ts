import { describe, expect, it } from 'vitest';
import type { RunId } from '../../lib/core/ids.ts';
import { joinPool, leavePool, removeSession } from '../../lib/dispatch/modes/pool.ts';
import type { ClusterRef, KubernetesFacts } from '../../lib/kubernetes/cluster/port.ts';
import { join, newLease } from '../../lib/run/session-lease.ts';
import { ENDLESS, inPool, QUICK, SessionsWorld } from './world/sessions-world.ts';
import { jobMessage } from './world/simulated.ts';

const MINUTE = 60_000;
const NOTHING: KubernetesFacts = { deployment: { state: 'absent' }, pods: [], events: [] };

/** One whose first run has ended, with what high availability keeps. */
async function sessionWithMetadata(): Promise<{ readonly world: SessionsWorld; readonly ref: ClusterRef }> {
  const world = new SessionsWorld();
  const { runId } = await world.request(jobMessage(inPool));
  await world.drain();
  const ref = world.poolRef(runId);
  world.addHighAvailability(ref);
  return { world, ref };
}

describe('a pool', () => {
  it('starts a session for the first job, keeps it for the next, and stops it when it has been idle', async () => {
    const world = new SessionsWorld();
    const first = await world.request(jobMessage(inPool));
    const second = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = world.poolRef(first.runId);
    expect(world.poolRef(second.runId)).toEqual(ref);
    expect(world.clusters).toEqual([`flink/${ref.clusterId}#pool/plain@ledger-1`]);
    for (const { runId } of [first, second]) expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    const before = world.clock.now();
    const third = await world.request(jobMessage(inPool));
    await world.drain();
    const [cold, warm] = [first, third].map(({ runId }) => {
      const { launchedAt = 0, runningAt = 0 } = world.record(runId).attempts[0] ?? {};
      return { launchedAt, takes: runningAt - launchedAt };
    });
    expect(warm?.launchedAt).toBeGreaterThanOrEqual(before);
    expect(warm?.takes).toBeLessThan(cold?.takes ?? 0);
    expect(world.leases).toMatchObject([{ state: 'open', runs: {} }]);
    await world.sweep();
    expect(world.standing(ref)).toBeDefined();
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    await world.pass(10_000);
    expect(world.standing(ref)).toBeUndefined();
    const later = await world.request(jobMessage(inPool));
    await world.drain();
    expect(world.states(later.runId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.clusters).toHaveLength(2);
  });

  it('is busy while a run has it, or a job of anybody runs in it', async () => {
    const world = new SessionsWorld();
    world.programs = [{ ...QUICK, endsAfter: 20 * MINUTE }];
    const { runId } = await world.request(jobMessage(inPool));
    await world.drainFor(12 * MINUTE);
    const ref = world.poolRef(runId);
    await world.sweep();
    expect(world.standing(ref)).toBeDefined();
    await world.drain();
    world.addForeign(ref, 'a person', { ...ENDLESS, endsAfter: 7 * MINUTE });
    for (let minutes = 0; minutes < 10; minutes += 1) {
      world.clock.time += MINUTE;
      await world.sweep();
      expect(world.standing(ref)).toBeDefined();
    }
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    await world.pass(10_000);
    expect(world.standing(ref)).toBeUndefined();
  });

  it('loses no job that comes while its session is stopped', async () => {
    const world = new SessionsWorld();
    const first = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = world.poolRef(first.runId);
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    expect(world.leases).toMatchObject([{ state: 'stopping' }]);
    const late = await world.request(jobMessage(inPool));
    await world.drain();
    expect(world.states(late.runId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.clusters).toHaveLength(2);
    expect(world.poolRef(late.runId)).toEqual(ref);
  });

  it('keeps a session that a run joins between the look of the sweep and its end', async () => {
    const world = new SessionsWorld();
    const first = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = world.poolRef(first.runId);
    world.clock.time += 6 * MINUTE;
    const { leases } = world.sweeper;
    let late: RunId | undefined;
    const write: typeof leases.write = async (lease, version) => {
      if (lease.state === 'stopping' && late === undefined) {
        late = (await world.request(jobMessage(inPool))).runId;
        await world.drain();
      }
      return leases.write(lease, version);
    };
    await world.sweep({ ...world.sweeper, leases: { ...leases, write } });
    expect(late).toBeDefined();
    expect(world.standing(ref)).toBeDefined();
    expect(world.states(late as RunId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.clusters).toHaveLength(1);
  });

  it('leaves nothing of a session whose Deployment went first', async () => {
    const { world, ref } = await sessionWithMetadata();
    world.vanish(ref);
    await world.sweep();
    expect(world.objectsOf(ref)).not.toEqual([]);
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    await world.pass(10_000);
    await world.sweep();
    expect(world.objectsOf(ref)).toEqual([]);
    expect(world.leases).toEqual([]);
  });

  it('is made anew without what was left of it, so that Flink recovers no job of a run that has ended', async () => {
    const { world, ref } = await sessionWithMetadata();
    world.vanish(ref);
    const next = await world.request(jobMessage(inPool));
    await world.drain();
    expect(world.poolRef(next.runId)).toEqual(ref);
    expect(world.objectsOf(ref)).not.toContain(`ConfigMap/${ref.clusterId}-cluster-config-map`);
    expect(world.clusters).toHaveLength(2);
    expect(world.states(next.runId)).toEqual(['accepted', 'started', 'succeeded']);
  });

  it('keeps what belongs to a session that stands', async () => {
    const { world, ref } = await sessionWithMetadata();
    await world.request(jobMessage(inPool));
    await world.drain();
    expect(world.objectsOf(ref)).toContain(`ConfigMap/${ref.clusterId}-cluster-config-map`);
    expect(world.clusters).toHaveLength(1);
  });

  it('goes on with a stop that takes longer than one sweep', async () => {
    const world = new SessionsWorld();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = world.poolRef(runId);
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    expect(world.standing(ref)?.deletingAt).toBeDefined();
    expect(world.leases).toMatchObject([{ state: 'stopping' }]);
    await world.pass(10_000);
    for (let sweeps = 0; sweeps < 3; sweeps += 1) await world.sweep();
    expect(world.leases).toEqual([]);
  });

  it('has its next session spared by who was to stop the last one', async () => {
    const world = new SessionsWorld();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = world.poolRef(runId);
    const target = await world.dispatch.targets('default');
    const session = { target: 'default', ...ref };
    const { leases } = world.dispatch.sessions;
    // The lease is open by now: somebody else has finished the stop.
    expect(await removeSession(target, leases, session)).not.toEqual([]);
    expect(world.standing(ref)).toBeDefined();
    // There was none when it was looked for, under a lease that said `stopping`.
    const known = await leases.read(session);
    await leases.write({ ...newLease(session, { name: 'plain', idleAfter: 1 }), state: 'stopping' }, known?.version);
    const cluster = { ...target.cluster, observe: () => Promise.resolve(NOTHING) };
    await removeSession({ ...target, cluster }, leases, session);
    expect(world.standing(ref)).toBeDefined();
    await removeSession(target, leases, session);
    await world.pass(10_000);
    expect(await removeSession(target, leases, session)).toEqual([]);
    expect(world.standing(ref)).toBeUndefined();
  });

  it('keeps its session for an attempt when the one before it leaves late', async () => {
    const world = new SessionsWorld();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drainFor(2_000);
    const { job } = world.record(runId);
    const pool = job?.mode === 'session' ? job.session.pool : undefined;
    if (pool === undefined) throw new Error('no pool');
    const target = await world.dispatch.targets('default');
    const ref = { target: 'default', ...world.poolRef(runId) };
    const use = { target, leases: world.dispatch.sessions.leases, ref, runId, since: world.clock.now() };
    const before = { ...use, since: use.since - MINUTE };
    await joinPool(use, pool);
    await leavePool(before, use.since);
    await joinPool(before, pool);
    expect(world.leases).toMatchObject([{ runs: { [runId]: use.since } }]);
    await leavePool(use, use.since);
    expect(world.leases).toMatchObject([{ runs: {} }]);
  });

  it('does not keep its session for a run that is closed', async () => {
    const world = new SessionsWorld();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = world.poolRef(runId);
    const key = { target: 'default', ...ref };
    const { leases } = world.dispatch.sessions;
    const late = await leases.read(key);
    if (late === undefined) throw new Error('no lease');
    await leases.write(join(late.value, runId, world.clock.now()), late.version);
    const swept = world.clock.now();
    await world.sweep();
    const [lease] = world.leases;
    expect(lease?.runs).toEqual({});
    expect(lease?.idleSince).toBeGreaterThanOrEqual(swept);
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    await world.pass(10_000);
    expect(world.standing(ref)).toBeUndefined();
  });

  it('that cannot be made is refused at once, and one that is not configured too', async () => {
    const world = new SessionsWorld();
    const { runId } = await world.request(jobMessage({ ...inPool, session: { pool: 'big' } }));
    expect(world.record(runId).outcome).toMatchObject({ reason: 'InvalidSpec', field: 'session.pool' });
    const local = await world.request(
      jobMessage({ ...inPool, job: { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' } }),
    );
    expect(world.record(local.runId).outcome).toMatchObject({ reason: 'InvalidSpec', field: 'job.jarURI' });
    await world.drain();
  });
});
