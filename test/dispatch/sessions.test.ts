import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import type { Ledger } from '../../lib/run/store/ledger.ts';
import type { SessionAccess } from '../../lib/dispatch/targets.ts';
import { jobIdFor } from '../../lib/core/ids.ts';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { ownerOf } from '../fakes/ids.ts';
import type { JarRun } from '../../lib/flink/job-manager.ts';
import { ENDLESS, inTeam, JOB, QUICK, SessionsWorld, TEAM, withTeam } from './world/sessions-world.ts';
import { jobMessage } from './world/simulated.ts';

const MINUTE = 60_000;

describe('a job in a session that stands', () => {
  it('is uploaded and run with what its spec says, followed, and leaves the session as it was', async () => {
    const world = await withTeam();
    world.addForeign(TEAM, 'other');
    const requests: JarRun[] = [];
    world.sessions.flink.onRun = (run) => requests.push(run);
    const spec = {
      ...inTeam,
      job: { ...JOB, initialSavepointPath: 's3://s/1', allowNonRestoredState: true },
      flinkConfiguration: { 'execution.runtime-mode': 'BATCH', 'taskmanager.numberOfTaskSlots': '4' },
    };
    const { runId } = await world.request(jobMessage(spec));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    const { jobId } = world.record(runId).attempts[0] ?? {};
    expect(requests).toEqual([
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
    expect(world.events(runId).at(-1)?.data).toMatchObject({ clusterId: TEAM.clusterId, jobId, reason: 'JobFinished' });
    expect(world.standing(TEAM)).toBeDefined();
    expect(world.jarsOf(TEAM)).toEqual(['theirs.jar']);
    expect(world.liveJobs(TEAM)).toEqual(['other']);
    expect(world.record(runId).state).toBe('closed');
  });

  it('is not found, is a cluster of a run, or may not be named', async () => {
    const world = new SessionsWorld();
    const missing = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.record(missing.runId).outcome).toMatchObject({ state: 'failed', reason: 'SessionNotFound' });
    world.stand(TEAM, ownerOf('0'.repeat(20)));
    const taken = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.record(taken.runId).outcome).toMatchObject({ reason: 'SessionNotFound' });
    expect(world.standing(TEAM)).toBeDefined();
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
    world.programs = [{ ...QUICK, mainFails: true, threw: root }];
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'failed']);
    expect(world.events(runId).at(-1)?.data).toMatchObject({
      reason: 'ApplicationFailed',
      rootException: root.message,
      evidence: { items: expect.arrayContaining([]) as unknown[] },
    });
    expect(world.jarsOf(TEAM)).toEqual([]);
    expect(world.mains).toBe(1);
  });

  it('that gets no slots is infrastructure, tried again as often as it may be', async () => {
    const world = await withTeam();
    const rootException = {
      message: 'org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Could not acquire',
      stackTrace:
        'Caused by: org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Could not acquire',
    };
    world.programs = [{ restAfter: 0, endsAfter: 5000, end: 'FAILED', result: { rootException } }, QUICK];
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
    world.programs = [{ restAfter: 0, end: 'FINISHED' }];
    const { runId } = await world.request(jobMessage({ ...inTeam, deadlines: { start: '1m' } }));
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({
      reason: 'SlotsUnavailable',
      message: expect.stringContaining('2 free slots of 4') as string,
    });
    expect(world.liveJobs(TEAM)).toEqual([]);
  });

  it.each([
    ['batch', 'unknown', 'ended'],
    ['streaming', 'failed', 'ended'],
  ])('of kind %s whose JobManager came again is %s', async (kind, state) => {
    const world = await withTeam();
    world.programs = [ENDLESS];
    const { runId } = await world.request(jobMessage({ ...inTeam, job: { ...JOB, kind } }));
    await world.drainFor(10_000);
    expect(world.record(runId).state).toBe('running');
    world.restartJobManager(TEAM);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state, reason: 'JobLost' });
    expect(world.submitted).toHaveLength(1);
  });

  it('has its jar taken from the next JobManager, where it came late', async () => {
    const world = await withTeam();
    world.programs = [ENDLESS];
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drainFor(10_000);
    const { processes } = world.sessions.flink;
    processes.onProcess = ({ jars }) => jars.set('7_late.jar', { name: `${runId}-1.jar`, ours: true });
    world.restartJobManager(TEAM);
    await world.drain();
    expect(world.record(runId)).toMatchObject({ state: 'closed', outcome: { reason: 'JobLost' } });
    expect(world.jarsOf(TEAM)).toEqual([]);
  });

  it('is gone with the pod of its JobManager', async () => {
    const world = await withTeam();
    world.programs = [ENDLESS];
    const { runId } = await world.request(jobMessage({ ...inTeam, deadlines: { run: '30s' } }));
    await world.drainFor(10_000);
    world.kubernetes.drop(world.processOf(TEAM).pod);
    await world.drain();
    expect(world.record(runId)).toMatchObject({ state: 'closed', outcome: { reason: 'RunDeadlineExceeded' } });
  });

  it('is gone with its session', async () => {
    const world = await withTeam();
    world.programs = [ENDLESS];
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drainFor(10_000);
    world.vanish(TEAM);
    await world.standTeam();
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'unknown', reason: 'ClusterDeleted' });
    expect(world.standing(TEAM)).toBeDefined();
  });

  it('is canceled, and nothing else is', async () => {
    const world = await withTeam();
    world.addForeign(TEAM, 'other');
    world.programs = [ENDLESS];
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drainFor(10_000);
    await cancelRun(runId, { by: 'a person', reason: 'JobCanceled' }, world.dispatch);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({
      state: 'canceled',
      message: 'The job was canceled by a person',
    });
    expect(world.liveJobs(TEAM)).toEqual(['other']);
  });

  it('that another function has begun to submit is left to it, and taken over when that has died', async () => {
    const world = await withTeam();
    const { runId } = await world.request(jobMessage(inTeam));
    const replace = (
      ledger: Ledger,
      ...[record, version]: Parameters<Ledger['replace']>
    ): ReturnType<Ledger['replace']> => {
      const last = record.attempts.at(-1);
      if (last?.submission === undefined || world.clock.now() - last.launchedAt > MINUTE)
        return ledger.replace(record, version);
      const theirs = { ...last, submission: { ...last.submission, by: 'another function' } };
      return ledger.replace({ ...record, attempts: [theirs] }, version);
    };
    world.adapt = (deps) => {
      const { ledger } = deps;
      return { ...deps, ledger: { ...ledger, replace: (...it) => replace(ledger, ...it) } };
    };
    await world.drainFor(MINUTE);
    expect(world.mains).toBe(0);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'succeeded' });
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    expect(world.submitted).toHaveLength(1);
  });
});

describe('a request to run a jar that is late', () => {
  /** The first request to run the jar gives no answer, and is sent when `late` says so. */
  function withLateRun(
    world: SessionsWorld,
    then = (): unknown => undefined,
  ): { readonly late: () => Promise<string> } {
    let first: { readonly jarId: string; readonly request: JarRun } | undefined;
    const late = (access: SessionAccess): SessionAccess => {
      const { jars } = access;
      const run: typeof jars.run = (jarId, request) => {
        if (first !== undefined) return jars.run(jarId, request);
        first = { jarId, request };
        then();
        return Promise.reject(new DispatchError('RestUnreachable', 'no answer'));
      };
      return { ...access, jars: { ...jars, run } };
    };
    world.adapt = (deps) => ({
      ...deps,
      targets: async (name) => {
        const target = await deps.targets(name);
        return { ...target, session: (ref) => late(target.session(ref)) };
      },
    });
    return {
      async late() {
        if (first === undefined) throw new Error('nothing was sent');
        const { jars } = (await world.dispatch.targets('default')).session(TEAM);
        return jars.run(first.jarId, first.request);
      },
    };
  }

  it('finds no jar where Flink might take the same job twice', async () => {
    const world = await withTeam({ safe: true });
    const { late } = withLateRun(world);
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
    await expect(late()).rejects.toThrow('does not exist');
    expect(world.submitted).toHaveLength(1);
  });

  it('may have been the job that nobody has seen when the deadline comes', async () => {
    const world = await withTeam({ safe: true });
    withLateRun(world, () => world.restartJobManager(TEAM));
    const { runId } = await world.request(jobMessage({ ...inTeam, deadlines: { start: '60s' } }));
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'unknown', reason: 'StartDeadlineExceeded' });
    expect(world.record(runId).attempts).toHaveLength(1);
  });

  it('is not sent again for a job whose end the log tells, and the JobManager no more', async () => {
    const world = await withTeam({ safe: true });
    withLateRun(world, () => (world.clock.time += 20_000));
    const { runId } = await world.request(jobMessage(inTeam));
    const jobId = jobIdFor(runId, 1);
    world
      .processOf(TEAM)
      .lines.push(`INFO  ExecutionGraph - Job job (${jobId}) switched from state RUNNING to FAILED.`);
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'failed', reason: 'JobFailed' });
    expect(world.submitted).toEqual([]);
  });

  it('is not followed by another one to the next JobManager', async () => {
    const world = await withTeam({ safe: true });
    withLateRun(world, () => world.restartJobManager(TEAM));
    const { runId } = await world.request(jobMessage(inTeam));
    await world.drain();
    expect(world.record(runId).outcome).toMatchObject({ state: 'unknown', reason: 'JobLost' });
    expect(world.submitted).toEqual([]);
  });
});
