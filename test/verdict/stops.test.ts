import { describe, expect, it } from 'vitest';
import type { StatePlan } from '../../lib/job/job.ts';
import { decide } from '../../lib/verdict/decide.ts';
import type { Observation } from '../../lib/verdict/observation.ts';
import { STOP_GRACE } from '../../lib/verdict/abort.ts';
import type { ActiveRun, StopRequest } from '../../lib/run/record.ts';
import { updateAttempt } from '../../lib/run/machine.ts';
import { savepointTry } from '../../lib/run/stop-request.ts';
import { finished, givenUp, withOptions } from './any-case.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from './observations.ts';

/*
 * How a job ends that was told to: with a savepoint, by a cancel that takes the newest checkpoint, or given up.
 */
const PLAN: StatePlan = {
  ...{ upgradeMode: 'savepoint', fallback: 'none', format: 'NATIVE', savepointDeadline: 60_000 },
  ...{ savepointDirectory: 's3://state/sp', probation: 1, rollback: 'automatic', history: { count: 1, age: 1 } },
};
const plain = runIn('running', 5_000);
const stream: ActiveRun = { ...plain, job: { ...plain.job, kind: 'streaming', state: PLAN } };
const asked = { at: NOW - 1_000, by: 'deployment x', reason: 'ReplacedByNewerRun' } as const;
const savepoint = { kind: 'savepoint', path: 's3://state/sp/savepoint-1', checkpointId: 7 } as const;
const WITH_SAVEPOINT: StopRequest = {
  ...{ ...asked, mode: 'savepoint', until: NOW + 60_000, fallback: 'none' },
  savepoint: savepointTry(stream, 1, { format: 'NATIVE', drain: false }),
};
const stopping: ActiveRun = { ...stream, stopRequested: WITH_SAVEPOINT, stopTries: 1 };
const replaced: ActiveRun = { ...stream, stopRequested: { ...asked, mode: 'last-state' } };
const overdue: ActiveRun = { ...stopping, job: { ...stopping.job, deadlines: { ...stopping.job.deadlines, run: 1 } } };
const batch: ActiveRun = updateAttempt(replaced, { runtime: { jobId: replaced.attempts[0].jobId, type: 'BATCH' } });
const gaveUp: ActiveRun = { ...stream, stopTries: 1, stopFailed: { ...asked, message: 'late', ordinal: 1 } };
const job = (change: Parameters<typeof jobOf>[1]) => jobOf(stream, change);
const seen = (jobs: ReturnType<typeof jobOf>[], stop?: Observation['stop']): Observation =>
  look(stream, answered(jobs), stop && { stop });
const crashed = {
  kubernetes: kubernetes(stream, {
    pods: [jobManagerPod({ ready: false }, { state: 'terminated', reason: 'Error', exitCode: 1 })],
  }),
};
const lastWords = (text: string): Observation =>
  look(stream, UNREACHABLE, { ...crashed, jobManagerLog: { text, stopped: true }, stop: { savepoint } });

describe('a stop with a savepoint', () => {
  it.each<readonly [string, ActiveRun, Observation, string]>([
    ['while the job goes on', stopping, seen([job({})], { savepoint }), 'wait'],
    ['when it has finished', stopping, seen([job({ state: 'FINISHED' })], { savepoint }), 'StoppedWithSavepoint'],
    ['when it failed in stopping', stopping, seen([job({ state: 'FAILED' })], { savepoint }), 'StoppedWithSavepoint'],
    ['when its log tells of the end alone', stopping, lastWords(finished), 'StoppedWithSavepoint'],
    ['when it is lost', stopping, lastWords('hello'), 'JobManagerCrashed'],
    [
      'of which the savepoint is the newest',
      stopping,
      seen([job({ state: 'FAILED' })], { savepoint, newest: savepoint }),
      'StoppedWithSavepoint',
    ],
    [
      'after which a checkpoint was complete',
      stopping,
      seen([job({ state: 'FAILED' })], { savepoint, newest: { ...savepoint, checkpointId: 8 } }),
      'JobFailed',
    ],
    ['that was not complete', stopping, seen([job({ state: 'FAILED' })], { savepoint: null }), 'JobFailed'],
    ['that nobody looked for', stopping, seen([job({ state: 'FAILED' })], {}), 'JobFailed'],
    [
      'that was given up, and came after all',
      gaveUp,
      seen([job({ state: 'FINISHED' })], { savepoint }),
      'StoppedWithSavepoint',
    ],
    ['that was given up, and whose end a log tells', gaveUp, lastWords(finished), 'StoppedWithSavepoint'],
    [
      'that was given up, after which the job failed',
      gaveUp,
      seen([job({ state: 'FAILED' })], { savepoint }),
      'JobFailed',
    ],
    [
      'whose job has ended while main() goes on',
      stopping,
      look(
        stream,
        answered([job({ state: 'FINISHED' })], { applications: [{ id: 'a', name: 'a', status: 'RUNNING' }] }),
        { stop: { savepoint } },
      ),
      'StoppedWithSavepoint',
    ],
    ['of a job that goes on beyond its deadline', overdue, seen([job({})], { savepoint }), 'RunDeadlineExceeded'],
    ['that nobody asked for', stream, seen([job({ state: 'FINISHED' })], { savepoint }), 'JobFinished'],
  ])('%s', (_what, record, look, reason) => {
    const verdict = decide(look, record, NOW);
    expect(verdict.kind === 'wait' ? 'wait' : verdict.outcome.reason).toBe(reason);
  });

  const outcome = (record: ActiveRun, what: Observation) => {
    const verdict = decide(what, record, NOW);
    if (verdict.kind === 'wait') throw new Error(verdict.because);
    return verdict.outcome;
  };

  it('tells by whom, with which savepoint and when', () => {
    const ended = [job({ state: 'FINISHED', endTime: NOW - 10 })];
    expect(outcome(stopping, seen(ended, { savepoint }))).toMatchObject({
      ...{ state: 'succeeded', at: NOW - 10, jobDuration: 500, flinkState: 'FINISHED' },
      message: 'The job was stopped by deployment x with savepoint s3://state/sp/savepoint-1',
      jobs: [{ state: 'FINISHED' }],
      evidence: ['complete savepoint s3://state/sp/savepoint-1'],
    });
    expect(outcome(gaveUp, seen(ended, { savepoint })).message).toContain('by deployment x');
    const unknown = { ...stream, stopTries: 1 };
    expect(outcome(unknown, seen(ended, { savepoint })).message).toMatch(/^The job was stopped with savepoint/);
  });

  it('tells of what the job failed in stopping', () => {
    const rest = {
      ...answered([job({ state: 'FAILED' })]),
      result: {
        answers: {},
        rootException: { message: 'a.B: no\nat', stackTrace: 'a.B: no' },
        accumulators: { n: '1' },
      },
    } as Observation['rest'];
    const told = outcome(stopping, look(stream, rest, { stop: { savepoint } }));
    expect(told.message).toMatch(/savepoint-1, and failed when it stopped: a\.B: no$/);
    expect(told).toMatchObject({ accumulators: { n: '1' }, flinkState: 'FAILED' });
    const silent = outcome(stopping, seen([job({ state: 'FAILED' })], { savepoint }));
    expect(silent.message).toMatch(/, and failed when it stopped$/);
  });

  it('has the time of the look where Flink tells of none', () => {
    const told = outcome(stopping, seen([job({ state: 'FINISHED', endTime: -1 })], { savepoint }));
    expect(told.at).toBe(NOW);
    expect(told).not.toHaveProperty('jobDuration');
    expect(outcome(stopping, lastWords(finished))).toMatchObject({ at: NOW, flinkState: 'FINISHED' });
  });

  it('of a job that was not seen to run before tells that it ran', () => {
    const starting: ActiveRun = { ...runIn('starting', 5_000), job: stream.job };
    const record: ActiveRun = {
      ...{ ...starting, stopTries: 1, stopRequested: WITH_SAVEPOINT },
      attempts: [
        { ...starting.attempts[0], restoredFrom: { kind: 'checkpoint', path: 's3://c', run: starting.runId } },
      ],
    };
    const ended = seen([job({ state: 'FINISHED', endTime: NOW - 10 })], { savepoint });
    expect(decide(ended, record, NOW)).toMatchObject({ kind: 'ended', running: { at: NOW - 500 } });
    expect(decide(ended, stopping, NOW)).not.toHaveProperty('running');
  });
});

describe('a cancel that takes the newest checkpoint', () => {
  it.each<readonly [string, ActiveRun, Observation, string, RegExp]>([
    ['waits while the job stops', replaced, seen([job({})]), 'wait', /RUNNING/],
    [
      'is told when it has',
      replaced,
      seen([job({ state: 'CANCELED', endTime: NOW - 10 })]),
      'canceled',
      /^Canceled by deployment x: its newest checkpoint is taken$/,
    ],
    ['leaves an end that came before', replaced, seen([job({ state: 'FINISHED' })]), 'succeeded', /finished/],
    ['leaves a failure that Flink tells of', replaced, seen([job({ state: 'FAILED' })]), 'failed', /failed/],
    [
      'takes one that was lost',
      replaced,
      lastWords('hello'),
      'canceled',
      /^Canceled by deployment x: it was lost meanwhile: /,
    ],
    ['takes one of which nobody knows the end', batch, lastWords('hello'), 'canceled', /it was lost meanwhile: /],
    [
      'gives way to a person who cancels',
      { ...replaced, cancelRequested: { ...asked, by: 'a person', reason: 'JobCanceled' } },
      seen([job({ state: 'CANCELED' })]),
      'canceled',
      /^The job was canceled by a person$/,
    ],
  ])('%s', (_what, record, what, state, said) => {
    const verdict = decide(what, record, NOW);
    if (verdict.kind === 'wait') expect(['wait', verdict.because]).toEqual([state, expect.stringMatching(said)]);
    else expect([verdict.outcome.state, verdict.outcome.message]).toEqual([state, expect.stringMatching(said)]);
  });

  it('has the time of the end, and says that Flink told it', () => {
    const end = (endTime: number) => decide(seen([job({ state: 'CANCELED', endTime })]), replaced, NOW);
    expect(end(NOW - 10)).toMatchObject({ outcome: { at: NOW - 10, flinkState: 'CANCELED', reason: asked.reason } });
    expect(end(-1)).toMatchObject({ outcome: { at: NOW, flinkState: 'CANCELED' } });
    expect(decide(lastWords('hello'), replaced, NOW)).not.toHaveProperty('outcome.flinkState');
  });
});

describe('an attempt that is given up', () => {
  const given = (record: ActiveRun, ago: number): ActiveRun => givenUp(record, NOW - ago);
  const bare = withOptions(runIn('starting', 5_000), {});
  const going = look(plain, answered([jobOf(plain)]));
  const unstarted = look(bare, UNREACHABLE, {
    kubernetes: kubernetes(bare, { pods: [jobManagerPod({ ready: false }, { state: 'waiting' })] }),
  });
  const main = { applications: [{ id: 'a', name: 'a', status: 'RUNNING' }] };
  const ended = (state: 'FINISHED' | 'CANCELED' | 'FAILED') => look(plain, answered([jobOf(plain, { state })]));

  it.each<readonly [string, ActiveRun, Observation, string, string]>([
    ['has time to stop', given(plain, STOP_GRACE - 1), going, 'wait', 'aborted-job-stopping'],
    [
      'that does not stop may have finished since',
      given(plain, STOP_GRACE),
      going,
      'ended unknown StartDeadlineExceeded',
      'aborted-job-not-stopped',
    ],
    [
      'that does not stop has failed where it has no end',
      given(withOptions(plain, {}, 'streaming'), STOP_GRACE),
      going,
      'failed failed StartDeadlineExceeded',
      'aborted-job-not-stopped',
    ],
    [
      'fails for its reason when it was canceled',
      given(plain, 1_000),
      ended('CANCELED'),
      'failed failed StartDeadlineExceeded',
      'aborted-job-stopped',
    ],
    [
      'was faster when it finished',
      given(plain, 1_000),
      ended('FINISHED'),
      'ended succeeded JobFinished',
      'application-ended',
    ],
    ['was faster when it failed', given(plain, 1_000), ended('FAILED'), 'ended failed JobFailed', 'application-ended'],
    [
      'ends as canceled when a person asked for that',
      { ...given(plain, 1_000), cancelRequested: { ...asked, by: 'a person', reason: 'JobCanceled' } },
      ended('CANCELED'),
      'ended canceled JobCanceled',
      'application-ended',
    ],
    [
      'fails at once where no JobManager ever started',
      given(bare, 1_000),
      unstarted,
      'failed failed StartDeadlineExceeded',
      'aborted-job-stopped',
    ],
    [
      'fails where its jobs have ended, whatever main() does',
      given(plain, 1_000),
      look(plain, answered([jobOf(plain, { state: 'CANCELED' })], main)),
      'failed failed StartDeadlineExceeded',
      'aborted-job-stopped',
    ],
    [
      'is not run again where one of its jobs had finished',
      given(plain, 1_000),
      look(
        plain,
        answered([jobOf(plain, { state: 'FINISHED' }), jobOf(plain, { id: 'f'.repeat(32), state: 'CANCELED' })], main),
      ),
      'ended failed StartDeadlineExceeded',
      'aborted-job-stopped',
    ],
  ])('%s', (_what, record, what, expected, rule) => {
    const verdict = decide(what, record, NOW);
    const told =
      verdict.kind === 'wait' ? 'wait' : `${verdict.kind} ${verdict.outcome.state} ${verdict.outcome.reason}`;
    expect([told, verdict.rule]).toEqual([expected, rule]);
  });

  it('tells why it was given up, and that it did not stop', () => {
    expect(decide(going, given(plain, STOP_GRACE), NOW)).toMatchObject({
      outcome: { message: expect.stringMatching(/^late; its job did not stop/) as string, evidence: ['e'], at: NOW },
    });
    expect(decide(going, given(plain, 0), NOW)).toMatchObject({ unreachable: false });
  });
});
