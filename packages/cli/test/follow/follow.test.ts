import { describe, expect, it } from 'vitest';
import { follow } from '../../src/follow/follow.ts';
import type { FollowDeps } from '../../src/follow/seen.ts';
import type { ContainerFacts, KubernetesFacts } from '../../../../lib/kubernetes/cluster/port.ts';
import { DispatchError } from '../../../../lib/core/errors.ts';
import { parseClusterId } from '../../../../lib/core/ids.ts';
import type { JobManagerFacts, JobResult, JobSummary, MainThread } from '../../../../lib/flink/job-manager.ts';
import type { JobState } from '../../../../lib/flink/job-state.ts';

const ID = '0123456789abcdef0123456789abcdef';
const REF = { namespace: 'jobs', clusterId: parseClusterId('a') };
const silence = new DispatchError('RestUnreachable', 'no answer');
const root = { message: 'java.io.IOException: disk full', stackTrace: 'java.io.IOException: disk full\n\tat x' };

function job(state: JobState): JobSummary {
  const ended = state === 'FINISHED' || state === 'FAILED' || state === 'CANCELED';
  return {
    id: ID,
    name: 'n',
    state,
    startTime: 0,
    endTime: ended ? 1_000_000 : -1,
    duration: 5,
    tasks: ended ? { FINISHED: 2, TOTAL: 2 } : { RUNNING: 1, TOTAL: 2 },
  };
}

function answer(jobs: JobSummary[], application?: string): JobManagerFacts {
  const applications =
    application === undefined ? {} : { applications: [{ id: 'app', name: 'main', status: application }] };
  return { flinkVersion: '2.3.0', taskManagers: 1, slotsTotal: 1, slotsAvailable: 0, jobs, ...applications };
}

const container: ContainerFacts = {
  name: 'flink-main-container',
  init: false,
  image: 'flink',
  ready: true,
  restartCount: 0,
  state: 'running',
};

function kubernetes(main: Partial<ContainerFacts> | 'deleting' | undefined): KubernetesFacts {
  if (main === undefined) return { deployment: { state: 'absent' }, pods: [], events: [] };
  const deployment = {
    state: 'present',
    uid: 'u',
    deleting: main === 'deleting',
    createdAt: 0,
    desiredReplicas: 1,
    conditions: [],
  } as const;
  const pod = {
    name: 'a-1',
    uid: 'p',
    component: 'jobmanager',
    phase: 'Running',
    createdAt: 0,
    deleting: false,
    ready: true,
  } as const;
  return {
    deployment,
    pods: [{ ...pod, containers: [{ ...container, ...(main === 'deleting' ? {} : main) }] }],
    events: [],
  };
}

interface Script {
  /** One for each look; the last one stays. */
  readonly looks: (JobManagerFacts | Error)[];
  readonly kubernetes?: (Partial<ContainerFacts> | 'deleting' | undefined)[];
  /** One for each time that it is read; the last one stays. */
  readonly result?: JobResult | JobResult[];
  /** One for each time that main() is looked for; without any its stack is not seen. */
  readonly mains?: MainThread['state'][];
  /** `execution.shutdown-on-application-finish: false`. */
  readonly stays?: boolean;
  readonly log?: string;
  readonly highAvailability?: boolean;
  readonly interrupt?: AbortSignal;
}

function play(script: Script) {
  let now = 1_000_000;
  const lines: string[] = [];
  const next = <T>(list: T[]): T | undefined => (list.length > 1 ? list.shift() : list[0]);
  const looks = [...script.looks];
  const results = [script.result ?? []].flat();
  const mains = [...(script.mains ?? [])];
  const states = [...(script.kubernetes ?? [{}])];
  const unused = () => Promise.reject(new Error('not asked for'));
  const deps: FollowDeps = {
    jobManager: {
      overview() {
        const one = next(looks) ?? silence;
        return one instanceof Error ? Promise.reject(one) : Promise.resolve(one);
      },
      runtime: unused,
      checkpoints: unused,
      restarts: unused,
      result() {
        const one = next(results);
        return one === undefined ? Promise.reject(silence) : Promise.resolve(one);
      },
      cancel: unused,
      exception: () => Promise.resolve(root),
      mainThread() {
        const state = next(mains) ?? 'returned';
        return Promise.resolve(state === 'running' ? { state, stack: '' } : { state });
      },
    },
    clusters: { observe: () => Promise.resolve(kubernetes(next(states))) },
    logs: {
      tail: (_ref, pod, { container: name }) => Promise.resolve({ pod, container: name, text: script.log ?? '' }),
    },
    clock: { now: () => now, sleep: (ms) => Promise.resolve(void (now += ms)) },
    interrupted: script.interrupt ?? new AbortController().signal,
    highAvailability: script.highAvailability ?? false,
    stays: script.stays ?? false,
    showsMain: script.mains !== undefined,
    progress: (line) => void lines.push(line),
  };
  return follow(REF, deps).then((ending) => ({ ending, lines, took: now - 1_000_000 }));
}

describe('follow', () => {
  it('reads the result in the moment of the end, and waits for the cluster to go', async () => {
    const { ending, lines } = await play({
      looks: [silence, answer([]), answer([job('RUNNING')]), answer([job('FINISHED')]), silence],
      kubernetes: [{}, {}, undefined],
      result: { accumulators: { rows: '7' }, answers: {} },
    });
    expect(ending).toMatchObject({ state: 'FINISHED', jobs: [{ result: { accumulators: { rows: '7' } } }] });
    expect(lines.join('\n')).toMatch(
      /JobManager starts\n.*no job yet\njob n \(.*\) RUNNING, 1 of 2 tasks\njob n \(.*\) FINISHED/,
    );
  });

  it('is told by Flink 2.3 that main() has ended', async () => {
    const { ending } = await play({
      looks: [answer([job('FINISHED')], 'RUNNING'), answer([job('FINISHED')], 'FINISHED')],
      result: { answers: {} },
    });
    expect(ending.state).toBe('FINISHED');
  });

  it('names the root exception of a job that failed', async () => {
    const { ending } = await play({
      looks: [answer([job('FAILED')], 'FAILED')],
      result: { rootException: root, answers: {} },
    });
    expect(ending).toMatchObject({
      state: 'FAILED',
      reason: 'JobFailed',
      message: root.message,
      stackTrace: root.stackTrace,
    });
  });

  it('asks why main() failed when no job ran', async () => {
    const { ending } = await play({ looks: [answer([], 'FAILED')] });
    expect(ending).toMatchObject({ state: 'FAILED', reason: 'ApplicationFailed', message: root.message });
  });

  it('lets a main() that runs several jobs go on, before Flink 2.3', async () => {
    const second = { ...job('FINISHED'), id: 'f'.repeat(32) };
    const { ending } = await play({
      looks: [
        answer([job('FINISHED')]),
        answer([job('FINISHED'), { ...second, state: 'RUNNING' }]),
        answer([job('FINISHED'), second]),
      ],
      result: { accumulators: {}, answers: {} },
      stays: true,
    });
    expect(ending.jobs).toHaveLength(2);
  });

  it.each([
    [
      'FINISHED',
      `2026-11-21 01:02:03,004 INFO  x [] - Job n (${ID}) switched from state RUNNING to FINISHED.\n`,
      'FINISHED',
      undefined,
    ],
    [
      'FAILED',
      `2026-11-21 01:02:03,004 INFO  x [] - Job n (${ID}) switched from state FAILING to FAILED.\norg.x.Y: w\n\tat a\nCaused by: java.io.IOException: disk full\n\tat b\n2026-11-21 01:02:04,004 INFO  z`,
      'FAILED',
      root.message,
    ],
  ])('learns from the log that the job %s when the cluster was gone first', async (_state, log, state, message) => {
    const { ending } = await play({
      looks: [answer([job('RUNNING')]), silence],
      kubernetes: [{}, { state: 'terminated', exitCode: 0 }, undefined],
      log,
    });
    expect(ending).toMatchObject({ state, ...(message !== undefined && { message }) });
  });

  it('learns it from the log alone when the JobManager was gone before the first look', async () => {
    const log = `2026-11-21 01:02:03,004 INFO  x [] - Job n (${ID}) switched from state FAILING to FAILED.\n${root.stackTrace}\n`;
    const { ending } = await play({ looks: [silence], kubernetes: [{}, 'deleting'], log });
    expect(ending).toMatchObject({ state: 'FAILED', message: root.message, jobs: [{ job: { id: ID, name: 'n' } }] });
  });

  it('reads the reason of a failed job from the log when its result could not be read', async () => {
    const log = `2026-11-21 01:02:03,004 INFO  x [] - Job n (${ID}) switched from state FAILING to FAILED.\n${root.stackTrace}\n`;
    const { ending } = await play({
      looks: [answer([job('FAILED')], 'RUNNING'), silence],
      kubernetes: [{}, 'deleting'],
      log,
    });
    expect(ending).toMatchObject({ state: 'FAILED', message: root.message });
  });

  it('admits that it does not know', async () => {
    const { ending } = await play({ looks: [answer([job('RUNNING')]), silence], kubernetes: [{}, undefined] });
    expect(ending).toMatchObject({
      state: 'UNKNOWN',
      message: expect.stringContaining('the cluster is gone') as string,
    });
  });

  it('ends at the first exit of a JobManager that cannot start, with the reason of its log', async () => {
    const { ending } = await play({
      looks: [silence],
      kubernetes: [
        {},
        { state: 'waiting', restartCount: 1, reason: 'CrashLoopBackOff', last: { exitCode: 1, reason: 'Error' } },
      ],
      log: "Caused by: java.lang.X: The program's entry point class 'no.such.Main' was not found in the jar file.\n",
    });
    expect(ending).toMatchObject({
      state: 'FAILED',
      reason: 'MainClassMissing',
      message: expect.stringContaining('no.such.Main') as string,
      stuck: true,
    });
  });

  it('goes on after a crash of a JobManager with high availability', async () => {
    const { ending } = await play({
      looks: [answer([job('RUNNING')]), silence, answer([job('FINISHED')], 'FINISHED')],
      kubernetes: [{ restartCount: 1, state: 'running', last: { exitCode: 239, reason: 'Error' } }],
      result: { answers: {} },
      highAvailability: true,
    });
    expect(ending.state).toBe('FINISHED');
  });

  describe('a JobManager that stays', () => {
    const read = { accumulators: { rows: '7' }, answers: {} };
    const logged = (level: string, message: string) =>
      `2026-11-21 01:02:03,004 ${level}  org.apache.flink.X [] - ${message}\n`;

    it('is waited for while main() goes on after its job, before Flink 2.3', async () => {
      const mains: MainThread['state'][] = [...Array<'running'>(300).fill('running'), 'returned'];
      const log = logged('INFO', 'Application completed SUCCESSFULLY');
      const { ending, took } = await play({
        ...{ looks: [answer([job('FINISHED')])], result: read, mains, stays: true, log },
      });
      expect(ending).toMatchObject({ state: 'FINISHED', jobs: [{ result: { accumulators: { rows: '7' } } }] });
      expect(took).toBeGreaterThanOrEqual(30_000);
    });

    it('has a main() that threw after its job', async () => {
      const log = logged('WARN', `Application failed unexpectedly: \n${root.stackTrace}`);
      const { ending } = await play({
        ...{ looks: [answer([job('FINISHED')])], result: read, mains: ['returned'], stays: true, log },
      });
      expect(ending).toMatchObject({ state: 'FAILED', reason: 'ApplicationFailed', message: root.message });
    });

    it('is not taken for gone while it is silent', async () => {
      const { ending } = await play({
        looks: [answer([job('FINISHED')]), ...Array<Error>(50).fill(silence), answer([job('FINISHED')])],
        ...{ result: read, mains: ['running', 'returned'], stays: true },
      });
      expect(ending.state).toBe('FINISHED');
    });

    it('is asked again while it answers from before the end', async () => {
      const stale = { accumulators: {}, answers: { [`/jobs/${ID}`]: { state: 'RUNNING' } } };
      const { ending } = await play({
        looks: [answer([{ ...job('FINISHED'), endTime: -1 }], 'FINISHED'), answer([job('FINISHED')], 'FINISHED')],
        result: [stale, stale, { ...read, answers: { [`/jobs/${ID}`]: { state: 'FINISHED' } } }],
      });
      expect(ending.jobs).toMatchObject([{ job: { endTime: 1_000_000 }, result: { accumulators: { rows: '7' } } }]);
    });

    it('is asked again while it does not list a job that it counts', async () => {
      const counted = (jobs: JobSummary[]): JobManagerFacts => ({
        ...answer(jobs),
        applications: [{ id: 'a', name: 'a', status: 'FAILED', jobs: 1 }],
      });
      const { ending } = await play({
        looks: [counted([]), counted([]), counted([job('FAILED')])],
        result: { rootException: root, answers: {}, accumulators: {} },
      });
      expect(ending).toMatchObject({ state: 'FAILED', reason: 'JobFailed', jobs: [{ job: { state: 'FAILED' } }] });
    });

    it('is not asked for ever', async () => {
      const { ending, took } = await play({
        looks: [answer([{ ...job('FINISHED'), tasks: { RUNNING: 1 } }], 'FINISHED')],
        result: { answers: {} },
      });
      expect([ending.state, took]).toEqual(['FINISHED', 5_000]);
    });

    it('keeps its end when it is gone before all is read', async () => {
      const { ending } = await play({
        looks: [answer([job('FINISHED')], 'FAILED'), silence],
        kubernetes: [undefined],
      });
      expect(ending).toMatchObject({ state: 'FAILED', reason: 'ApplicationFailed', message: root.message });
    });

    it.each([
      [0, 'FINISHED', {}],
      [3, 'FAILED', { reason: 'ApplicationFailed', message: 'main() called System.exit(3)' }],
      [239, 'UNKNOWN', { message: expect.stringContaining('System.exit(); its code is not known') as string }],
    ])('is exited by main() with %i after its job', async (exitCode, state, more) => {
      const log =
        logged('INFO', 'Starting program (detached: true)') +
        logged('INFO', 'Job n (0) switched from state RUNNING to FINISHED.').replace('(0)', `(${ID})`);
      const { ending } = await play({
        ...{ looks: [answer([job('FINISHED')]), silence], result: read, mains: ['running'], stays: true, log },
        kubernetes: [{ restartCount: 1, state: 'running', last: { exitCode, reason: 'Error' } }],
      });
      expect(ending).toMatchObject({ state, ...more, stuck: true });
    });
  });

  it('stops when it is interrupted', async () => {
    const { ending } = await play({ looks: [answer([job('RUNNING')])], interrupt: AbortSignal.abort() });
    expect(ending.state).toBe('INTERRUPTED');
  });

  it('a refusal that time does not mend is thrown', async () => {
    await expect(play({ looks: [new DispatchError('PermissionDenied', 'services/proxy')] })).rejects.toMatchObject({
      reason: 'PermissionDenied',
    });
  });
});
