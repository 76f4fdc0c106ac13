import { describe, expect, it } from 'vitest';
import type { JobSummary } from '../../lib/flink/job-manager.ts';
import { decide } from '../../lib/verdict/decide.ts';
import { firstJobManager } from '../../lib/verdict/verdict.ts';
import type { Observation } from '../../lib/verdict/observation.ts';
import type { ActiveRun, Attempt } from '../../lib/run/record.ts';
import { RUN, START, withOptions } from './any-case.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from './observations.ts';

/*
 * What the tables of decide.test.ts leave open: the last moment before a deadline, what is told of several jobs, and which
 * pods count.
 */
const running = runIn('running', 5000);
const late = runIn('starting', START);
const INFO = '2026-11-21 03:00:00,000 INFO  org.apache.flink.runtime.X [] - ';
const log = (text: string, stopped = false): Pick<Observation, 'jobManagerLog'> => ({
  jobManagerLog: { text, stopped },
});
const streaming = (record: ActiveRun): ActiveRun => withOptions(record, {}, 'streaming');
const noted = (change: Partial<Attempt>, record: ActiveRun = running): ActiveRun => ({
  ...record,
  attempts: [{ ...record.attempts[0], ...change }],
});

/** `kind state reason`, and the message. */
function verdictOf(seen: Observation, record: ActiveRun): readonly [string, string] {
  const verdict = decide(seen, record, NOW);
  if (verdict.kind === 'wait') return ['wait', verdict.because];
  const { state, reason, message } = verdict.outcome;
  return [`${verdict.kind} ${state} ${reason}`, message];
}

describe('a deadline', () => {
  it.each<readonly [string, ActiveRun, Observation, string, RegExp]>([
    ['of the start is not over a moment before', runIn('starting', START - 1), look(late, UNREACHABLE), 'wait', /REST/],
    [
      'of the start does not end a job that runs by then',
      late,
      look(late, answered([jobOf(late)])),
      'wait',
      /job is RUNNING/,
    ],
    [
      'of the start does not end a job of which a task has finished',
      late,
      look(late, answered([jobOf(late, { tasks: { FINISHED: 1 } })])),
      'wait',
      /job is RUNNING/,
    ],
    [
      'of the start ends a job that waits for slots',
      late,
      look(late, answered([jobOf(late, { tasks: { SCHEDULED: 1, RUNNING: 0 } })])),
      'failed failed StartDeadlineExceeded',
      /within the 600 s of deadlines\.start: job is RUNNING/,
    ],
    [
      'of the start, with a JobManager that nobody hears, lets a streaming job have another attempt',
      streaming(late),
      look(late, UNREACHABLE),
      'failed failed RestUnreachable',
      /did not answer within the 600 s/,
    ],
    [
      'of the start, where a job may have come and gone, leaves the outcome open',
      late,
      look(late, answered([])),
      'ended unknown StartDeadlineExceeded',
      /did not run within/,
    ],
    [
      'of the start, where the log would tell of a job, is a failure',
      late,
      look(late, answered([]), log(`${INFO}starts`)),
      'failed failed StartDeadlineExceeded',
      /has no job yet/,
    ],
    [
      'of the start, before any JobManager has started, is a failure',
      late,
      look(late, UNREACHABLE, {
        kubernetes: kubernetes(late, { pods: [jobManagerPod({ ready: false }, { state: 'waiting' })] }),
      }),
      'failed failed StartDeadlineExceeded',
      /REST does not answer/,
    ],
    [
      'of the run is not over a moment before',
      runIn('running', RUN - 1),
      look(running, answered([jobOf(running)])),
      'wait',
      /job is RUNNING/,
    ],
    [
      'of the run names what still runs',
      noted({ jobsEndedAt: NOW }, runIn('running', RUN)),
      look(
        running,
        answered([jobOf(running, { state: 'FINISHED' })], {
          applications: [{ id: 'a', name: 'a', status: 'RUNNING' }],
        }),
      ),
      'ended failed RunDeadlineExceeded',
      /^main\(\) still ran after the 3600 s/,
    ],
    [
      'of the run is that of a job, else',
      runIn('running', RUN),
      look(running, answered([jobOf(running)])),
      'ended failed RunDeadlineExceeded',
      /^The job still ran/,
    ],
  ])('%s', (_what, record, seen, expected, message) => {
    const [told, said] = verdictOf(seen, record);
    expect(told).toBe(expected);
    expect(said).toMatch(message);
  });
});

describe('a JobManager', () => {
  const facts = (container: Parameters<typeof jobManagerPod>[1]) =>
    kubernetes(running, { pods: [jobManagerPod({ ready: false }, container)] });

  it.each([
    ['whose process never began has run no program', { state: 'waiting', last: { reason: 'StartError' } }, false],
    ['that could not be run has run no program', { state: 'terminated', reason: 'ContainerCannotRun' }, false],
    ['that waits for its first start has run no program', { state: 'waiting', reason: 'ContainerCreating' }, false],
    ['that waits for its next start may have run it', { state: 'waiting', last: { reason: 'Error' } }, true],
    ['that was started again may have run it', { state: 'waiting', restartCount: 1 }, true],
    ['that has exited has run it', { state: 'terminated', reason: 'Completed' }, true],
  ] as const)('%s', (_what, container, hasBegun) => {
    expect(firstJobManager(facts(container))).toEqual(hasBegun ? { podUid: 'jm', restartCount: 0 } : undefined);
  });

  it('that is going away is not the one that is there now', () => {
    const going = jobManagerPod({ uid: 'jm', deleting: true, createdAt: NOW });
    const next = jobManagerPod({ uid: 'next', createdAt: NOW - 5_000 });
    const seen = look(running, answered([jobOf(running)]), {
      kubernetes: kubernetes(running, { pods: [going, next] }),
    });
    expect(verdictOf(seen, running)[0]).toBe('ended unknown JobLost');
  });
});

it('a streaming job of which a part had finished may have another attempt', () => {
  const pods = [jobManagerPod({ ready: false }, { state: 'terminated', reason: 'Error', exitCode: 1 })];
  const seen = look(running, UNREACHABLE, {
    kubernetes: kubernetes(running, { pods }),
    ...log(`${INFO}goes on`, true),
  });
  const [told, said] = verdictOf(seen, noted({ jobFinished: true }, streaming(running)));
  expect(told).toBe('failed failed JobManagerCrashed');
  expect(said).not.toContain('not run again');
  expect(verdictOf(seen, noted({ jobFinished: true }))[0]).toBe('ended failed JobManagerCrashed');
});

it('a verdict that nothing explains names the Deployment, its pods up to five, and what REST says', () => {
  const taskManagers = Array.from({ length: 6 }, (_, i) =>
    jobManagerPod({ name: `c-taskmanager-1-${i}`, component: 'taskmanager' }, { restartCount: i }),
  );
  const [main] = jobManagerPod().containers;
  if (main === undefined) throw new Error('no container');
  const containers = [main, { ...main, name: 'log-shipper', restartCount: 3 }];
  const pods = [jobManagerPod({ containers, ready: false }), ...taskManagers];
  const record = noted({}, runIn('running', RUN));
  const verdict = decide(
    look(record, answered([jobOf(record)]), { kubernetes: kubernetes(record, { pods }) }),
    record,
    NOW,
  );
  const { clusterId, jobId } = record.attempts[0];
  expect(verdict.kind === 'wait' ? [] : verdict.outcome.evidence).toEqual([
    `Deployment ${clusterId}: uid d, run ${record.runId}`,
    'pod c-x: Running, not ready, 0 restarts, 3 of log-shipper',
    ...[0, 1, 2, 3].map((i) => `pod c-taskmanager-1-${i}: Running, ready, ${i} restarts`),
    'and 2 more pods',
    `REST: job ${jobId} RUNNING`,
  ]);
});

describe('an outcome of several jobs', () => {
  const job = (index: number, change: Partial<JobSummary> = {}): JobSummary =>
    jobOf(running, { id: index.toString(16).padStart(32, '0'), state: 'FINISHED', endTime: NOW - 1, ...change });
  const finished = { applications: [{ id: 'a', name: 'a', status: 'FINISHED' }] };
  const outcomeOf = (jobs: readonly JobSummary[], more: object = {}) => {
    const rest = { ...answered(jobs, finished), ...more };
    const verdict = decide(look(running, rest), running, NOW);
    if (verdict.kind === 'wait') throw new Error(verdict.because);
    return verdict.outcome;
  };

  it('has at most a hundred of them', () => {
    expect(outcomeOf(Array.from({ length: 101 }, (_, i) => job(i))).jobs).toHaveLength(100);
  });

  it('has their accumulators as long as they are 256 KiB together', () => {
    const jobs = [job(1), job(2), job(3)];
    const of = (size: number) => ({ answers: {}, accumulators: { a: 'x'.repeat(size) } });
    const results = { [job(1).id]: of(200_000), [job(2).id]: of(100_000) };
    const told = outcomeOf(jobs, { results, result: of(10) }).jobs?.map(
      ({ accumulators }) => accumulators?.['a']?.length,
    );
    expect(told).toEqual([200_000, undefined, undefined]);
    const fits = { [job(1).id]: of(100_000), [job(2).id]: of(100_000) };
    const all = outcomeOf(jobs, { results: fits, result: of(10) }).jobs?.map(
      ({ accumulators }) => accumulators?.['a']?.length,
    );
    expect(all).toEqual([100_000, 100_000, 10]);
  });

  it('counts those that had not finished', () => {
    const { message } = outcomeOf([job(1, { state: 'FAILED' }), job(2, { state: 'CANCELED' }), job(3)]);
    expect(message).toBe('The application finished: main() went on after 2 of its 3 jobs had not');
  });

  it('has the time at which the last of them ended, where main() was not seen to go on', () => {
    const jobs = [job(1, { endTime: NOW - 5 }), job(2, { endTime: NOW - 9 })];
    expect(outcomeOf(jobs).at).toBe(NOW - 5);
    const rest = answered(jobs, finished);
    const seen = decide(look(running, rest), noted({ jobsEndedAt: NOW - 3 }), NOW);
    expect(seen).toMatchObject({ outcome: { at: NOW } });
    const returned = decide(look(running, rest), noted({ jobsEndedAt: NOW - 3, mainReturnedAt: NOW - 2 }), NOW);
    expect(returned).toMatchObject({ outcome: { at: NOW - 2 } });
    const told = answered(jobs, { applications: [{ id: 'a', name: 'a', status: 'FINISHED', endTime: NOW - 1 }] });
    expect(decide(look(running, told), running, NOW)).toMatchObject({ outcome: { at: NOW - 1 } });
  });

  it('has no duration where Flink tells of no end', () => {
    expect(outcomeOf([job(1, { endTime: -1 })])).not.toHaveProperty('jobDuration');
    expect(outcomeOf([job(1)])).toMatchObject({ jobDuration: 500 });
  });
});

describe('an application that Flink lists without its jobs', () => {
  const outcomeOf = (application: object, record: ActiveRun = runIn('starting', 5000)) => {
    const applications = [{ id: 'a', name: 'a', status: 'FINISHED', ...application }];
    return decide(look(record, answered([], { applications })), record, NOW);
  };

  it.each([
    ['has run some that Flink counts', { jobs: 1 }, 'succeeded'],
    ['has run none', { jobs: 0 }, 'failed'],
    ['has run none that anybody counts', {}, 'failed'],
  ])('%s', (_what, application, state) => {
    expect(outcomeOf(application)).toMatchObject({ kind: 'ended', outcome: { state } });
  });

  it('has run the one that was seen', () => {
    expect(outcomeOf({ jobs: 0 }, running)).toMatchObject({ outcome: { state: 'succeeded', reason: 'JobFinished' } });
  });

  it('was canceled', () => {
    expect(outcomeOf({ status: 'CANCELED' })).toMatchObject({
      outcome: { state: 'canceled', reason: 'JobCanceled', message: 'The application was canceled' },
    });
  });
});
