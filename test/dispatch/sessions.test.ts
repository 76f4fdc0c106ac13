import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { jobIdFor } from '../../lib/core/ids.ts';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { ownerOf } from '../fakes/ids.ts';
import { smallCluster } from '../fakes/flink-cluster.ts';
import { HEALTHY } from './world/fake-flink.ts';
import { QUICK } from './world/fake-sessions.ts';
import { inTeam, JOB, standTeam, TEAM, withTeam } from './world/in-session.ts';
import { jobMessage, World } from './world/world.ts';

const MINUTE = 60_000;

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
    await world.clusters.apply(smallCluster({ ...TEAM, image: 'x' }), ownerOf('0'.repeat(20)));
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
