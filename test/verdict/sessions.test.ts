import { describe, expect, it } from 'vitest';
import { decide } from '../../lib/verdict/decide.ts';
import type { Observation } from '../../lib/verdict/observation.ts';
import { CANCEL_GRACE } from '../../lib/verdict/shared-rules.ts';
import type { ActiveRun, Attempt } from '../../lib/run/record.ts';
import { ABSENT, asked, finished, inSession, RUN, START, withOptions } from './any-case.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from './observations.ts';

/*
 * A job in a session: what becomes of the session, of its submission and of its slots.
 */
const SUBMITTED: NonNullable<Attempt['submission']> = {
  ...{ by: 'x', at: NOW - 5_000, answeredAt: NOW - 5_000, highAvailability: false },
};
const JM = { jobManager: { podUid: 'jm', restartCount: 0 }, deploymentUid: 'd' };
const submitted = (record: ActiveRun, how: Partial<typeof SUBMITTED> = {}, more: Partial<Attempt> = JM): ActiveRun =>
  inSession({ ...more, submission: { ...SUBMITTED, ...how } }, record);
const unanswered = (record: ActiveRun, at: number, highAvailability: boolean): ActiveRun =>
  inSession({ ...JM, submission: { by: 'x', at, highAvailability } }, record);
const streaming = (record: ActiveRun): ActiveRun => withOptions(record, {}, 'streaming');
const starting = runIn('starting', 5_000);
const late = runIn('starting', START);
const waiting = inSession({}, starting);
const inIt = submitted(starting);
const runs = submitted(runIn('running', 60_000));
const toCancel = (record: ActiveRun): ActiveRun => ({ ...record, cancelRequested: asked });
const deployment = (uid: string, deleting = false): Partial<Observation> => {
  const facts = kubernetes(starting);
  return { kubernetes: { ...facts, deployment: { ...facts.deployment, uid, deleting } as typeof facts.deployment } };
};
const pods = (...all: readonly ReturnType<typeof jobManagerPod>[]): Partial<Observation> => ({
  kubernetes: kubernetes(starting, { pods: all }),
});
const restarts = (restartCount: number) => jobManagerPod({}, { restartCount, last: { reason: 'Error' } });
const log = (text: string, stopped: boolean): Partial<Observation> => ({ jobManagerLog: { text, stopped } });
const broken = (component: 'jobmanager' | 'taskmanager') =>
  jobManagerPod(
    { ready: false, component, createdAt: NOW - 600_000 },
    { state: 'waiting', reason: 'InvalidImageName', message: 'bad' },
  );
const crashed = jobManagerPod({ ready: false }, { state: 'terminated', reason: 'Error', exitCode: 1 });
const evicted = jobManagerPod({ ready: false, phase: 'Failed', reason: 'Evicted' }, { state: 'terminated' });
const NO_JOB = answered([]);

type Case = readonly [what: string, record: ActiveRun, seen: Observation, verdict: string, said: RegExp];

function check(record: ActiveRun, seen: Observation, expected: string, said: RegExp): void {
  const verdict = decide(seen, record, NOW);
  if (verdict.kind === 'wait') {
    expect(['wait', verdict.because]).toEqual([expected, expect.stringMatching(said)]);
    return;
  }
  const { state, reason, message, at } = verdict.outcome;
  expect([`${verdict.kind} ${state} ${reason}`, message]).toEqual([expected, expect.stringMatching(said)]);
  expect(at).toBeLessThanOrEqual(NOW);
}

const GONE: readonly Case[] = [
  [
    'before anything of it was seen',
    waiting,
    look(waiting, UNREACHABLE, { kubernetes: ABSENT }),
    'failed failed SessionNotFound',
    /^The session \S+ was deleted$/,
  ],
  [
    'that had been seen',
    inSession({ deploymentUid: 'd' }, starting),
    look(waiting, UNREACHABLE, { kubernetes: ABSENT }),
    'failed failed ClusterDeleted',
    /was deleted$/,
  ],
  [
    'on its way out',
    inSession({ deploymentUid: 'd' }, starting),
    look(waiting, NO_JOB, deployment('d', true)),
    'failed failed ClusterDeleted',
    /was deleted$/,
  ],
  [
    'that is another one by now',
    inSession({ deploymentUid: 'd' }, starting),
    look(waiting, NO_JOB, deployment('e')),
    'failed failed ClusterDeleted',
    /was replaced by another one$/,
  ],
  ['whichever it is, before one was seen', waiting, look(waiting, NO_JOB, deployment('e')), 'wait', /no job yet/],
  [
    'to which the job was submitted',
    submitted(starting, {}, {}),
    look(waiting, UNREACHABLE, { kubernetes: ABSENT }),
    'ended unknown ClusterDeleted',
    /whether the job had finished before is not known$/,
  ],
  [
    'with a job that has no end',
    streaming(runs),
    look(runs, UNREACHABLE, { kubernetes: ABSENT }),
    'failed failed ClusterDeleted',
    /was deleted$/,
  ],
  [
    'of a run that was asked to stop',
    toCancel(runs),
    look(runs, UNREACHABLE, { kubernetes: ABSENT }),
    'ended canceled JobCanceled',
    /its session is gone/,
  ],
];

const REPLACED: readonly Case[] = [
  [
    'with high availability',
    submitted(starting, { highAvailability: true }),
    look(inIt, NO_JOB, pods(restarts(1))),
    'wait',
    /JobManager stopped/,
  ],
  [
    'and the first one tells the end',
    inIt,
    look(inIt, UNREACHABLE, { ...pods(restarts(1)), ...log(finished, true) }),
    'ended succeeded JobFinished',
    /as the log of its JobManager says/,
  ],
  [
    'and the first one tells of no end',
    inIt,
    look(inIt, UNREACHABLE, { ...pods(restarts(1)), ...log('hello', true) }),
    'ended unknown JobLost',
    /JobManager restarted/,
  ],
  [
    'and the log is that of the one that runs',
    inIt,
    look(inIt, UNREACHABLE, { ...pods(restarts(1)), ...log(finished, false) }),
    'ended unknown JobLost',
    /JobManager restarted/,
  ],
  [
    'and the log is that of another one before it',
    inIt,
    look(inIt, UNREACHABLE, { ...pods(restarts(2)), ...log(finished, true) }),
    'ended unknown JobLost',
    /JobManager restarted/,
  ],
  [
    'by another pod, whose log tells',
    inIt,
    look(inIt, UNREACHABLE, { ...pods({ ...restarts(1), uid: 'next' }), ...log(finished, true) }),
    'ended unknown JobLost',
    /was replaced by another pod/,
  ],
  [
    'of which the first one is not known',
    submitted(starting, {}, {}),
    look(inIt, UNREACHABLE, pods(restarts(1))),
    'wait',
    /JobManager stopped/,
  ],
  ['and there is none at the moment', inIt, look(inIt, UNREACHABLE, pods()), 'wait', /REST does not answer/],
];

const STARTING: readonly Case[] = [
  [
    'fails of what keeps its JobManager from starting',
    waiting,
    look(waiting, UNREACHABLE, pods(broken('jobmanager'))),
    'failed failed ImagePullFailed',
    /^The session does not start: /,
  ],
  ['has time for a JobManager that has crashed', waiting, look(waiting, UNREACHABLE, pods(crashed)), 'wait', /./],
  ['has time for a JobManager that was evicted', waiting, look(waiting, UNREACHABLE, pods(evicted)), 'wait', /./],
  [
    'leaves TaskManagers to the session',
    waiting,
    look(waiting, UNREACHABLE, pods(jobManagerPod(), broken('taskmanager'))),
    'wait',
    /./,
  ],
  [
    'leaves the JobManager to the session once the job was submitted',
    inIt,
    look(inIt, UNREACHABLE, pods(broken('jobmanager'))),
    'wait',
    /./,
  ],
  [
    'does not begin in a session that does not start in time',
    inSession({}, late),
    look(late, UNREACHABLE),
    'ended unknown RestUnreachable',
    /600 s of deadlines\.start/,
  ],
  [
    'is canceled before it is submitted',
    toCancel(waiting),
    look(waiting, NO_JOB),
    'ended canceled JobCanceled',
    /it had not been submitted$/,
  ],
];

const LOST: readonly Case[] = [
  [
    'has ten seconds to appear',
    submitted(starting, { answeredAt: NOW - 9_999 }),
    look(inIt, NO_JOB),
    'wait',
    /no job yet/,
  ],
  [
    'is lost when it does not',
    submitted(starting, { answeredAt: NOW - 10_000 }),
    look(inIt, NO_JOB),
    'ended unknown JobLost',
    /no longer knows the job/,
  ],
  [
    'with high availability, has two minutes',
    submitted(starting, { answeredAt: NOW - 119_999, highAvailability: true }),
    look(inIt, NO_JOB),
    'wait',
    /no job yet/,
  ],
  [
    'with high availability, is lost then',
    submitted(starting, { answeredAt: NOW - 120_000, highAvailability: true }),
    look(inIt, NO_JOB),
    'ended unknown JobLost',
    /no longer knows/,
  ],
  [
    'counts from when it was seen to run',
    submitted(runIn('running', 9_999), { answeredAt: NOW - 60_000 }),
    look(inIt, NO_JOB),
    'wait',
    /no job yet/,
  ],
  [
    'counts from when the JobManager was silent',
    { ...runs, unreachableSince: NOW - 9_999 },
    look(runs, NO_JOB),
    'wait',
    /no job yet/,
  ],
  [
    'counts from the answer to its submission',
    submitted(starting, { at: NOW - 60_000 }),
    look(inIt, NO_JOB),
    'wait',
    /no job yet/,
  ],
  [
    'is not asked for while REST is silent',
    submitted(starting, { answeredAt: NOW - 10_000 }),
    look(inIt, UNREACHABLE),
    'wait',
    /REST does not answer/,
  ],
  [
    'whose submission was never answered may still come',
    unanswered(starting, NOW - 500_000, false),
    look(inIt, NO_JOB),
    'wait',
    /no job yet/,
  ],
  [
    'whose submission was never answered may have come and gone with its JobManager',
    unanswered(starting, NOW - 120_000, true),
    look(inIt, NO_JOB, pods(restarts(1))),
    'ended unknown JobLost',
    /no longer knows/,
  ],
  [
    'without an end has not',
    streaming(unanswered(starting, NOW - 120_000, true)),
    look(inIt, NO_JOB, pods(restarts(1))),
    'wait',
    /JobManager stopped/,
  ],
];

const noTask = jobOf(starting, { tasks: { SCHEDULED: 1 } });
const NO_SLOTS = { message: 'no slots', stackTrace: 'jobmanager.scheduler.NoResourceAvailableException: no slots' };
const failedOf = (rootException: typeof NO_SLOTS, state: 'FAILED' | 'RESTARTING' = 'FAILED') =>
  ({ ...answered([jobOf(starting, { state })]), result: { answers: {}, rootException } }) as Observation['rest'];
const SLOTS: readonly Case[] = [
  [
    'are waited for until deadlines.start',
    submitted(runIn('starting', START - 1)),
    look(inIt, answered([noTask])),
    'wait',
    /^job is RUNNING: it has 0 free slots of 1 on 1 TaskManagers$/,
  ],
  [
    'are not waited for longer',
    submitted(late),
    look(inIt, answered([noTask])),
    'failed failed SlotsUnavailable',
    /within the 600 s of deadlines\.start: it has 0 free slots of 1/,
  ],
  [
    'that Flink has given up are what failed the job',
    inIt,
    look(inIt, failedOf(NO_SLOTS)),
    'failed failed SlotsUnavailable',
    /gave the job no slots: it has 0 free slots of 1/,
  ],
  [
    'are not what another exception failed the job of',
    inIt,
    look(inIt, failedOf({ message: 'no', stackTrace: 'a.B: no' })),
    'ended failed JobFailed',
    /no$/,
  ],
  [
    'are still waited for where Flink goes on',
    inIt,
    look(inIt, failedOf(NO_SLOTS, 'RESTARTING')),
    'wait',
    /job is RESTARTING/,
  ],
  [
    'of an attempt that had a job finished are no reason to begin it again',
    submitted(starting, {}, { ...JM, jobFinished: true }),
    look(inIt, failedOf(NO_SLOTS)),
    'ended failed SlotsUnavailable',
    /not run again/,
  ],
];

const ENDS: readonly Case[] = [
  [
    'is none of another job of the session',
    runs,
    look(runs, answered([jobOf(runs), jobOf(runs, { id: 'f'.repeat(32), state: 'FAILED', startTime: NOW })])),
    'wait',
    /^job is RUNNING$/,
  ],
  [
    'is told by Flink',
    runs,
    look(runs, answered([jobOf(runs, { state: 'FINISHED', endTime: NOW - 1 })])),
    'ended succeeded JobFinished',
    /^The job finished$/,
  ],
  [
    'names who canceled it',
    toCancel(runs),
    look(runs, answered([jobOf(runs, { state: 'CANCELED' })])),
    'ended canceled JobCanceled',
    /^The job was canceled by a test$/,
  ],
  [
    'that was asked for and came to another stays what it is',
    toCancel(runs),
    look(runs, answered([jobOf(runs, { state: 'FINISHED' })])),
    'ended succeeded JobFinished',
    /^The job finished$/,
  ],
  [
    'is told by the log where Flink has forgotten the job',
    runs,
    look(runs, NO_JOB, log(finished, false)),
    'ended succeeded JobFinished',
    /as the log/,
  ],
  [
    'is not told by the log while Flink has the job',
    runs,
    look(runs, answered([jobOf(runs)]), log(finished, false)),
    'wait',
    /^job is RUNNING$/,
  ],
  [
    'is not told by the log while REST is silent',
    runs,
    look(runs, UNREACHABLE, log(finished, false)),
    'wait',
    /REST does not answer/,
  ],
  [
    'is waited for a while after a cancel',
    toCancel(runs),
    look(runs, answered([jobOf(runs)])),
    'wait',
    /^job is RUNNING$/,
  ],
  [
    'does not have to come after a cancel',
    { ...runs, cancelRequested: { ...asked, at: NOW - CANCEL_GRACE } },
    look(runs, answered([jobOf(runs)])),
    'ended canceled JobCanceled',
    /asked again until it does$/,
  ],
  [
    'comes with deadlines.run',
    submitted(runIn('running', RUN)),
    look(runs, answered([jobOf(runs)])),
    'ended failed RunDeadlineExceeded',
    /3600 s/,
  ],
  [
    'may have come unseen before deadlines.start',
    submitted(late, { answeredAt: NOW }),
    look(late, NO_JOB),
    'ended unknown StartDeadlineExceeded',
    /not seen within the 600 s/,
  ],
  [
    'has until deadlines.start to come',
    submitted(runIn('starting', START - 1), { answeredAt: NOW }),
    look(late, NO_JOB),
    'wait',
    /no job yet/,
  ],
];

describe('a session that is gone,', () => {
  it.each(GONE)('%s', (_what, ...rest) => check(...rest));
});

describe("a session's JobManager is replaced", () => {
  it.each(REPLACED)('%s', (_what, ...rest) => check(...rest));
});

describe('a job that waits for its session', () => {
  it.each(STARTING)('%s', (_what, ...rest) => check(...rest));
});

describe('a job that its session does not know', () => {
  it.each(LOST)('%s', (_what, ...rest) => check(...rest));
});

describe('slots', () => {
  it.each(SLOTS)('%s', (_what, ...rest) => check(...rest));

  it('that Flink gave up are told with its own words and with what was asked', () => {
    const verdict = decide(look(inIt, failedOf(NO_SLOTS)), inIt, NOW);
    const { jobId } = inIt.attempts[0];
    expect(verdict).toMatchObject({
      outcome: { rootException: 'no slots', stackTrace: NO_SLOTS.stackTrace, flinkState: 'FAILED' },
    });
    expect(verdict.kind === 'wait' ? [] : verdict.outcome.evidence).toEqual([`GET /jobs/${jobId}: state FAILED`]);
  });

  it('that are missing are told with what else is wrong with the session', () => {
    const of = (...all: readonly ReturnType<typeof jobManagerPod>[]) => {
      const verdict = decide(look(late, answered([noTask]), pods(...all)), submitted(late), NOW);
      return verdict.kind === 'wait' ? '' : verdict.outcome.evidence.join('\n');
    };
    expect(of(jobManagerPod())).toMatch(/^Deployment \S+: uid d/);
    expect(of(jobManagerPod(), broken('taskmanager'))).toMatch(/InvalidImageName/);
  });
});

describe('the end of a job in a session', () => {
  it.each(ENDS)('%s', (_what, ...rest) => check(...rest));
});

describe('a look at a job in a session', () => {
  const waits = (record: ActiveRun, seen: Observation) => decide(seen, record, NOW);

  it('finds that it runs when a task of it does', () => {
    expect(waits(inIt, look(inIt, answered([jobOf(inIt)])))).toMatchObject({
      ...{ kind: 'wait', unreachable: false, running: { at: NOW - 500 } },
    });
    expect(waits(inIt, look(inIt, answered([noTask])))).not.toHaveProperty('running');
    expect(waits(runs, look(runs, answered([jobOf(runs)])))).not.toHaveProperty('running');
  });

  it('finds that it had run when it has ended, and how long', () => {
    const ended = answered([jobOf(inIt, { state: 'FINISHED', endTime: NOW - 100 })]);
    expect(waits(inIt, look(inIt, ended))).toMatchObject({
      running: { at: NOW - 500 },
      outcome: { at: NOW - 100, jobDuration: 500, flinkState: 'FINISHED' },
    });
    expect(waits(runs, look(runs, ended))).not.toHaveProperty('running');
  });

  it('hears nothing of it where REST is silent or does not know it', () => {
    expect(waits(runs, look(runs, UNREACHABLE))).toMatchObject({ kind: 'wait', unreachable: true });
    const young = submitted(starting, { answeredAt: NOW });
    expect(waits(young, look(young, NO_JOB))).toMatchObject({ kind: 'wait', unreachable: true });
    expect(waits(runs, look(runs, answered([jobOf(runs)])))).toMatchObject({ kind: 'wait', unreachable: false });
  });
});
