import { describe, expect, it } from 'vitest';
import type { ClusterRef, KubernetesFacts } from '../../lib/cluster/port.ts';
import { poolOwner } from '../../lib/cluster/marks.ts';
import { jobIdFor, type RunId } from '../../lib/core/ids.ts';
import { DispatchError } from '../../lib/core/errors.ts';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { joinPool, leavePool, removeSession } from '../../lib/dispatch/pool.ts';
import { join, newLease } from '../../lib/run/session-lease.ts';
import { smallCluster } from '../fakes/flink-cluster.ts';
import type { PlannedFault } from './effects.ts';
import { HEALTHY } from './fake-flink.ts';
import { QUICK, type SessionJob } from './fake-sessions.ts';
import { expectClosedCleanly } from './invariants.ts';
import { jobMessage, World, type WorldOptions } from './world.ts';

const MINUTE = 60_000;
const JOB = { jarURI: 's3://jars/job.jar', entryClass: 'a.B', args: ['--x', 'y z'], parallelism: 2 };
const TEAM: ClusterRef = { namespace: 'flink', clusterId: 'team-a' as ClusterRef['clusterId'] };
const inTeam = { job: JOB, session: { clusterId: 'team-a' } };
const inPool = { job: JOB, mode: 'session', session: { pool: 'small' } };

const NOTHING: KubernetesFacts = { deployment: { state: 'absent' }, pods: [], events: [] };

async function withTeam(options: WorldOptions = {}): Promise<World> {
  const world = new World(options);
  await standTeam(world);
  return world;
}

async function standTeam(world: World): Promise<void> {
  const cluster = smallCluster({ ...TEAM, image: 'flink:2.3.0' });
  await world.clusters.apply(cluster, poolOwner('theirs', 'another-ledger'));
}

function poolRef(world: World, runId: RunId): ClusterRef {
  const { clusterId } = world.record(runId).attempts.at(-1) ?? {};
  if (clusterId === undefined) throw new Error('no attempt');
  return { namespace: 'flink', clusterId };
}

describe('a job in a session that stands', () => {
  it('is uploaded and run with what its spec says, followed, and leaves the session as it was', async () => {
    const world = await withTeam();
    world.sessions.addJob(TEAM, 'other');
    world.sessions.addJar(TEAM, '9_theirs.jar', 'theirs.jar');
    const spec = {
      ...inTeam,
      job: { ...JOB, initialSavepointPath: 's3://s/1', allowNonRestoredState: true },
      flinkConfiguration: { 'execution.runtime-mode': 'BATCH', 'taskmanager.numberOfTaskSlots': '4' },
    };
    const { runId } = await world.request(jobMessage(spec));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    const { jobId } = world.record(runId).attempts[0] ?? {};
    expect(world.sessions.requests).toEqual([
      {
        entryClass: 'a.B',
        programArgs: ['--x', 'y z'],
        parallelism: 2,
        jobId,
        savepointPath: 's3://s/1',
        allowNonRestoredState: true,
        flinkConfiguration: { 'execution.runtime-mode': 'BATCH', 'pipeline.name': 'word-count' },
      },
    ]);
    expect(world.events(runId).at(-1)?.data).toMatchObject({ clusterId: 'team-a', jobId, reason: 'JobFinished' });
    expect(world.clusters.standing(TEAM)).toBeDefined();
    expect(world.sessions.jarsOf(TEAM)).toEqual(['theirs.jar']);
    expect(world.sessions.liveJobs(TEAM)).toEqual(['other']);
    expect(world.record(runId).state).toBe('closed');
  });

  it('is not found, is a cluster of a run, or may not be named', async () => {
    const world = new World();
    const missing = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.record(missing.runId).outcome).toMatchObject({ state: 'failed', reason: 'SessionNotFound' });
    await world.clusters.apply(smallCluster({ ...TEAM, image: 'x' }), { runId: '0'.repeat(20), attempt: 1 });
    const taken = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.record(taken.runId).outcome).toMatchObject({ reason: 'SessionNotFound' });
    expect(world.clusters.standing(TEAM)).toBeDefined();
    const other = await world.request(jobMessage({ job: JOB, session: { clusterId: 'their-session' } }));
    expect(world.record(other.runId).outcome).toMatchObject({ reason: 'NotAllowed', field: 'session.clusterId' });
    await world.drain();
  });

  it('tells what main() threw', async () => {
    const world = await withTeam();
    const root = {
      message: 'java.lang.IllegalArgumentException: no mode',
      stackTrace:
        'X: The main method caused an error: no\n\tat a\nCaused by: java.lang.IllegalArgumentException: no mode',
    };
    world.sessions.jobs = [{ mainFails: root }];
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'failed']);
    expect(world.events(runId).at(-1)?.data).toMatchObject({
      reason: 'ApplicationFailed',
      rootException: root.message,
      evidence: { items: expect.arrayContaining([]) as unknown[] },
    });
    expect(world.sessions.jarsOf(TEAM)).toEqual([]);
    expect(world.sessions.mains).toHaveLength(1);
  });

  it('that gets no slots is infrastructure, tried again as often as it may be', async () => {
    const world = await withTeam();
    const rootException = {
      message: 'org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Could not acquire',
      stackTrace:
        'Caused by: org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Could not acquire',
    };
    world.sessions.jobs = [{ endsAfter: 5000, runsAfter: Infinity, end: 'FAILED', result: { rootException } }, QUICK];
    const { runId } = await world.request(jobMessage({ ...inTeam, retry: { attempts: 2, backoff: '5s' } }));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'attempt-failed', 'started', 'succeeded']);
    expect(world.record(runId).attempts[0]?.outcome).toMatchObject({
      reason: 'SlotsUnavailable',
      flinkState: 'FAILED',
    });
    expect(new Set(world.record(runId).attempts.map(({ jobId }) => jobId)).size).toBe(2);
  });

  it('that waits for slots beyond its deadline is canceled and says so', async () => {
    const world = await withTeam();
    world.sessions.jobs = [{ runsAfter: Infinity }];
    const { runId } = await world.request(jobMessage({ ...inTeam, deadlines: { start: '1m' } }));
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({
      reason: 'SlotsUnavailable',
      message: expect.stringContaining('0 free slots of 2') as string,
    });
    expect(world.sessions.liveJobs(TEAM)).toEqual([]);
  });

  it.each([
    ['batch', 'unknown', 'ended'],
    ['streaming', 'failed', 'ended'],
  ])('of kind %s whose JobManager came again is %s', async (kind, state) => {
    const world = await withTeam();
    world.sessions.jobs = [{ runsAfter: 300 }];
    const { runId } = await world.request(jobMessage({ ...inTeam, job: { ...JOB, kind } }));
    await world.drainFor(10_000);
    expect(world.record(runId).state).toBe('running');
    world.flink.restarted.add('team-a');
    world.sessions.forget(TEAM);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state, reason: 'JobLost' });
    expect(world.sessions.submitted).toHaveLength(1);
  });

  it('has its jar taken from the next JobManager, where it came late', async () => {
    const world = await withTeam();
    world.sessions.jobs = [{ runsAfter: 300 }];
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drainFor(10_000);
    world.flink.restarted.add('team-a');
    world.sessions.forget(TEAM);
    world.sessions.addJar(TEAM, '7_late.jar', `${runId}-1.jar`);
    await world.drain();
    expect(world.record(runId)).toMatchObject({ state: 'closed', outcome: { reason: 'JobLost' } });
    expect(world.sessions.jarsOf(TEAM)).toEqual([]);
  });

  it('is gone with the pod of its JobManager', async () => {
    const world = await withTeam();
    world.sessions.jobs = [{ runsAfter: 300 }];
    const { runId } = await world.request(jobMessage({ ...inTeam, deadlines: { run: '30s' } }));
    await world.drainFor(10_000);
    world.flink.behaviours = [{ ...HEALTHY, pods: () => [] }];
    await world.drain();
    expect(world.record(runId)).toMatchObject({ state: 'closed', outcome: { reason: 'RunDeadlineExceeded' } });
  });

  it('is gone with its session', async () => {
    const world = await withTeam();
    world.sessions.jobs = [{ runsAfter: 300 }];
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drainFor(10_000);
    world.clusters.vanish(TEAM);
    await standTeam(world);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'unknown', reason: 'ClusterDeleted' });
    expect(world.clusters.standing(TEAM)).toBeDefined();
  });

  it('is canceled, and nothing else is', async () => {
    const world = await withTeam();
    world.sessions.addJob(TEAM, 'other');
    world.sessions.jobs = [{ runsAfter: 300 }];
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drainFor(10_000);
    await cancelRun(runId, { by: 'a person', reason: 'JobCanceled' }, world.dispatch);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({
      state: 'canceled',
      message: 'The job was canceled by a person',
    });
    expect(world.sessions.liveJobs(TEAM)).toEqual(['other']);
  });

  it('that another function has begun to submit is left to it, and taken over when that has died', async () => {
    const world = await withTeam();
    const { runId } = await world.request(jobMessage(inTeam));
    const replace = world.ledger.replace.bind(world.ledger);
    world.ledger.replace = (record, version) => {
      const last = record.attempts.at(-1);
      if (last?.submission === undefined || world.clock.now() - last.launchedAt > MINUTE)
        return replace(record, version);
      const theirs = { ...last, submission: { ...last.submission, by: 'another function' } };
      return replace({ ...record, attempts: [theirs] }, version);
    };
    await world.drainFor(MINUTE);
    expect(world.sessions.mains).toEqual([]);
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.sessions.submitted).toHaveLength(1);
  });
});

describe('a request to run a jar that is late', () => {
  /** The first request to run the jar gives no answer, and is sent when `late` says so. */
  function withLateRun(world: World, then = (): unknown => undefined): { readonly late: () => Promise<string> } {
    const session = world.sessions.session.bind(world.sessions);
    const waiting: (() => Promise<string>)[] = [];
    world.sessions.session = (ref) => {
      const access = session(ref);
      const { jars } = access;
      const run: typeof jars.run = (jarId, request) => {
        if (waiting.length > 0) return jars.run(jarId, request);
        waiting.push(() => jars.run(jarId, request));
        then();
        return Promise.reject(new DispatchError('RestUnreachable', 'no answer'));
      };
      return { ...access, jars: { ...jars, run } };
    };
    return { late: () => waiting[0]?.() ?? Promise.reject(new Error('nothing was sent')) };
  }

  it('finds no jar where Flink might take the same job twice', async () => {
    const world = await withTeam();
    world.sessions.configuration = { 'high-availability.type': 'kubernetes' };
    const { late } = withLateRun(world);
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    await expect(late()).rejects.toThrow('does not exist');
    expect(world.sessions.submitted).toHaveLength(1);
  });

  it('may have been the job that nobody has seen when the deadline comes', async () => {
    const world = await withTeam();
    world.sessions.configuration = { 'high-availability.type': 'kubernetes' };
    withLateRun(world, () => world.flink.restarted.add('team-a'));
    const { runId } = await world.request(jobMessage({ ...inTeam, deadlines: { start: '60s' } }));
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'unknown', reason: 'StartDeadlineExceeded' });
    expect(world.record(runId).attempts).toHaveLength(1);
  });

  it('is not sent again for a job whose end the log tells, and the JobManager no more', async () => {
    const world = await withTeam();
    world.sessions.configuration = { 'high-availability.type': 'kubernetes' };
    withLateRun(world, () => (world.clock.time += MINUTE));
    const { runId } = await world.request(jobMessage(inTeam));
    const jobId = jobIdFor(runId, 1);
    world.flink.behaviours = [{ ...HEALTHY, log: () => `Job job (${jobId}) switched from state RUNNING to FAILED.\n` }];
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'JobFailed' });
    expect(world.sessions.submitted).toEqual([]);
  });

  it('is not followed by another one to the next JobManager', async () => {
    const world = await withTeam();
    world.sessions.configuration = { 'high-availability.type': 'kubernetes' };
    withLateRun(world, () => world.flink.restarted.add('team-a'));
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'unknown', reason: 'JobLost' });
    expect(world.sessions.submitted).toEqual([]);
  });
});

describe('a pool', () => {
  it('starts a session for the first job, keeps it for the next, and stops it when it has been idle', async () => {
    const world = new World();
    const first = await world.request(jobMessage(inPool));
    const second = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = poolRef(world, first.runId);
    expect(poolRef(world, second.runId)).toEqual(ref);
    expect(world.clusters.created).toEqual([`flink/${ref.clusterId}#${poolOwner('small', 'ledger').runId}-1`]);
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
    const world = new World();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drain();
    const ref = poolRef(world, runId);
    world.clusters.addHighAvailability(ref, `${ref.clusterId}-cluster-config-map`);
    world.clusters.vanish(ref);
    await world.sweep();
    expect(await world.clusters.remains(ref)).not.toEqual([]);
    world.clock.time += 6 * MINUTE;
    await world.sweep();
    expect(await world.clusters.remains(ref)).toEqual([]);
    expect(world.leases.all).toEqual([]);
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
    const clusters = { ...target.clusters, observe: () => Promise.resolve(NOTHING) };
    await removeSession({ ...target, clusters }, world.leases, session);
    expect(world.clusters.standing(ref)).toBeDefined();
    expect(await removeSession(target, world.leases, session)).toEqual([]);
    expect(world.clusters.standing(ref)).toBeUndefined();
  });

  it('keeps its session for an attempt when the one before it leaves late', async () => {
    const world = new World();
    const { runId } = await world.request(jobMessage(inPool));
    await world.drainFor(200);
    const { pool } = world.record(runId).job?.session ?? {};
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

const SCENARIOS: readonly {
  readonly name: string;
  readonly jobs: readonly SessionJob[];
  readonly spec: Record<string, unknown>;
  readonly states: readonly string[];
}[] = [
  { name: 'a run in a pool', jobs: [QUICK], spec: inPool, states: ['accepted', 'started', 'succeeded'] },
  {
    name: 'a run whose main() fails',
    jobs: [{ mainFails: { message: 'java.lang.Error: no', stackTrace: 'Caused by: java.lang.Error: no' } }],
    spec: inPool,
    states: ['accepted', 'failed'],
  },
];

describe.each(SCENARIOS)('$name', ({ jobs, spec, states }) => {
  async function play(options: WorldOptions): Promise<World> {
    const world = new World(options);
    world.sessions.jobs = jobs;
    const { runId } = await world.request(jobMessage(spec));
    await world.drain();
    expect(world.states(runId)).toEqual(states);
    expect(world.sessions.submitted).toHaveLength(states.includes('started') ? 1 : 0);
    const ref = poolRef(world, runId);
    expect([world.sessions.jarsOf(ref), world.sessions.liveJobs(ref)]).toEqual([[], []]);
    expect(world.leases.all).toMatchObject([{ state: 'open', runs: {} }]);
    expect(world.clusters.created).toHaveLength(1);
    world.clock.time += 6 * MINUTE;
    for (let sweeps = 0; sweeps < 3; sweeps += 1) {
      await world.sweep();
      world.clock.time += 6 * MINUTE;
    }
    expect(world.clusters.standing(ref)).toBeUndefined();
    await expectClosedCleanly(world, runId);
    return world;
  }

  const faults = (['error', 'crash'] as const).flatMap((kind) =>
    (['before', 'after'] as const).map((when): Omit<PlannedFault, 'at'> => ({ kind, when })),
  );

  it.each(faults)('survives the $kind $when any one effect', { timeout: 60_000 }, async (fault) => {
    const { names } = (await play({})).effects;
    expect(names).toEqual(expect.arrayContaining(['jars.upload', 'jars.run', 'leases.write', 'jars.remove']));
    for (const [at, name] of names.entries()) {
      try {
        const world = await play({ fault: { ...fault, at } });
        expect(world.effects.struck).toBe(true);
      } catch (cause) {
        throw new Error(`${fault.kind} ${fault.when} ${at}: ${name}: ${String(cause)}`, { cause });
      }
    }
  });

  it('is the same when every run message comes three times', async () => {
    await play({ deliveries: 3 });
  });
});
