import { describe, expect, it } from 'vitest';
import type { JobSummary, RootException } from '../../lib/flink/job-manager.ts';
import type { PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { omit } from '../../lib/core/omit.ts';
import { STOP_GRACE } from '../../lib/verdict/abort.ts';
import { MAIN_SETTLES } from '../../lib/verdict/application/end.ts';
import { decide, explain } from '../../lib/verdict/decide.ts';
import { firstJobManager, hasStarted, isOver, jobManagerRuns, type Ended } from '../../lib/verdict/verdict.ts';
import type { Observation, RestFacts } from '../../lib/verdict/observation.ts';
import { currentAttempt, updateAttempt } from '../../lib/run/machine.ts';
import { savepointTry } from '../../lib/run/stop-request.ts';
import type { ActiveRun, Attempt, StopRequest } from '../../lib/run/record.ts';
import { ABSENT, asked, givenUp, inSession, START, withOptions } from './any-case.ts';
import {
  answered,
  jobManagerPod,
  jobOf,
  kubernetes,
  look,
  NOW,
  ownedBy,
  runIn,
  UNREACHABLE,
  withPods as pods,
} from './observations.ts';

/*
 * Which JobManager a look is about, what comes before and after the first one, and the ends that Flink settles late.
 */
type Answered = Extract<RestFacts, { state: 'answered' }>;

const running = runIn('running', 60_000);
const starting = runIn('starting', 5_000);
const late = runIn('starting', START);
const HA = { 'high-availability.type': 'kubernetes' };
const noted = (change: Partial<Attempt>, record: ActiveRun = running) => updateAttempt(record, change);
const waiting = jobManagerPod({ ready: false }, { state: 'waiting', reason: 'ContainerCreating' });
const worker = (change: Partial<PodFacts> = {}, container: Parameters<typeof jobManagerPod>[1] = {}) =>
  jobManagerPod({ name: 't', uid: 't', component: 'taskmanager', ...change }, container);
const broken = { state: 'waiting', reason: 'InvalidImageName', message: 'bad' } as const;
const INFO = '2026-11-21 03:00:00,000 INFO  org.apache.flink.X [] - ';

/** `kind state reason`. */
function told(record: ActiveRun, seen: Observation): string {
  const verdict = decide(seen, record, NOW);
  return verdict.kind === 'wait' ? 'wait' : `${verdict.kind} ${verdict.outcome.state} ${verdict.outcome.reason}`;
}

describe('the first JobManager', () => {
  const facts = (...all: readonly PodFacts[]) => kubernetes(running, { pods: all });

  it('is the oldest that began, and no TaskManager', () => {
    const [old, young] = [jobManagerPod({ uid: 'old', createdAt: 1 }), jobManagerPod({ uid: 'young', createdAt: 2 })];
    for (const all of [
      [old, young, worker({ createdAt: 0 })],
      [worker({ createdAt: 0 }), young, old],
    ]) {
      expect(firstJobManager(facts(...all))?.podUid).toBe('old');
    }
    const never = jobManagerPod({ uid: 'never', createdAt: 0, containers: [] });
    expect(firstJobManager(facts(never, young))?.podUid).toBe('young');
    expect(firstJobManager(facts(worker()))).toBeUndefined();
  });

  it('runs where its container does, whatever TaskManagers do', () => {
    expect(jobManagerRuns(facts(jobManagerPod()))).toBe(true);
    expect(jobManagerRuns(facts(waiting, worker()))).toBe(false);
    expect(jobManagerRuns(facts(waiting, jobManagerPod({ uid: 'next' })))).toBe(true);
    expect(jobManagerRuns(facts())).toBe(false);
  });

  it('is over when its pod is gone or has ended, or its container is another one', () => {
    const attempt = currentAttempt(running);
    expect(isOver(attempt, facts(jobManagerPod()))).toBe(false);
    expect(isOver(attempt, facts(jobManagerPod({ uid: 'next' })))).toBe(true);
    expect(isOver(attempt, facts(jobManagerPod({}, { restartCount: 1 })))).toBe(true);
    for (const phase of ['Failed', 'Succeeded']) expect(isOver(attempt, facts(jobManagerPod({ phase })))).toBe(true);
    expect(isOver(attempt, facts(jobManagerPod({ containers: [] })))).toBe(true);
    expect(isOver(omit(attempt, 'jobManager'), facts())).toBe(false);
  });

  it('has started once it was seen, also when it is gone, and not in a cluster of another run', () => {
    const has = (record: ActiveRun, kubernetes: Observation['kubernetes']) =>
      hasStarted({ record, observation: look(record, UNREACHABLE, { kubernetes }) });
    expect(has(running, ABSENT)).toBe(true);
    expect(has(starting, ABSENT)).toBe(false);
    expect(has(starting, facts(jobManagerPod()))).toBe(true);
    expect(has(starting, facts(waiting))).toBe(false);
    const theirs = ownedBy(facts(jobManagerPod()), undefined);
    expect(has(starting, theirs)).toBe(false);
    expect(has(starting, { ...facts(jobManagerPod()), deployment: { state: 'absent' } })).toBe(false);
  });

  it('of several is judged by the newest that stays', () => {
    const [first, next] = [jobManagerPod({ createdAt: 1 }), jobManagerPod({ uid: 'next', createdAt: 2 })];
    for (const all of [
      [first, next],
      [next, first],
    ]) {
      expect(told(running, look(running, UNREACHABLE, pods(running, ...all)))).toBe('ended unknown JobLost');
    }
    const before = jobManagerPod({ uid: 'before', createdAt: 0 });
    expect(told(running, look(running, answered([jobOf(running)]), pods(running, before, first)))).toBe('wait');
  });
});

describe('what Kubernetes names', () => {
  it('of a TaskManager ends a job that does not run yet, and leaves one that runs to Flink', () => {
    const seen = (record: ActiveRun) =>
      look(record, answered([]), pods(record, jobManagerPod(), worker({ createdAt: NOW - 600_000 }, broken)));
    expect(told(starting, seen(starting))).toBe('failed failed ImagePullFailed');
    const going = { ...seen(running), rest: answered([jobOf(running)]) };
    expect(told(running, going)).toBe('wait');
  });

  it('of a job that had one finished is no reason to begin again', () => {
    const jobs = [jobOf(starting, { state: 'FINISHED' }), jobOf(starting, { id: 'f'.repeat(32), tasks: {} })];
    const seen = look(starting, answered(jobs), pods(starting, jobManagerPod(), worker({ createdAt: 1 }, broken)));
    expect(told(starting, seen)).toBe('ended failed ImagePullFailed');
  });

  it('is a Deployment that is gone, as it is', () => {
    const verdict = decide(look(running, UNREACHABLE, { kubernetes: ABSENT }), running, NOW);
    expect(verdict).toMatchObject({
      outcome: { evidence: [expect.stringMatching(/: absent$/), 'REST: connection refused'] },
    });
    expect(verdict).toHaveProperty('outcome.message', expect.stringContaining('was deleted by someone else'));
  });

  it('is how often each container was started', () => {
    const { containers } = jobManagerPod({}, { restartCount: 0 });
    const [main] = containers;
    if (main === undefined) throw new Error('no container');
    const sides = [
      { ...main, name: 'a', restartCount: 2 },
      { ...main, name: 'b' },
    ];
    const seen = look(
      running,
      UNREACHABLE,
      pods(running, jobManagerPod({ uid: 'next', containers: [main, ...sides] })),
    );
    const verdict = decide(seen, running, NOW);
    expect(verdict.kind === 'wait' ? [] : verdict.outcome.evidence).toContain(
      'pod c-x: Running, ready, 0 restarts, 2 of a',
    );
    const bare = look(running, UNREACHABLE, pods(running, worker({ containers: [] }), jobManagerPod({ uid: 'next' })));
    expect(decide(bare, running, NOW)).toHaveProperty('outcome.evidence.1', 'pod t: Running, ready, 0 restarts');
  });
});

describe('a JobManager that died', () => {
  const LOGGED = '2026-11-21 03:00:00,000 WARN  a.B [] - hello\n';
  const MISSING = "The program's entry point class 'a.B' was not found in the jar file";
  const survived = `2026-11-21 03:00:00,000 ERROR org.apache.flink.X [] - no\norg.apache.flink.RpcConnectionException: early\n`;
  const died = (how: Parameters<typeof jobManagerPod>[1], text: string) =>
    look(starting, UNREACHABLE, {
      ...pods(starting, jobManagerPod({ ready: false }, { state: 'terminated', ...how })),
      jobManagerLog: { text, stopped: true },
    });

  it('of its memory did so whatever else its log names', () => {
    const seen = died({ reason: 'OOMKilled', exitCode: 137 }, `${INFO}goes on\n${survived}`);
    expect(told(starting, seen)).toBe('failed failed JobManagerOutOfMemory');
  });

  it('of what is wrong with the request did so although it was killed', () => {
    const seen = died({ reason: 'Error', exitCode: 137 }, `${INFO}goes on\n${MISSING}`);
    expect(told(starting, seen)).toBe('failed failed MainClassMissing');
  });

  it('of something else may have run its job, where its log would not tell', () => {
    expect(told(starting, died({ reason: 'Error', exitCode: 1 }, LOGGED + survived))).toBe(
      'ended unknown JobManagerCrashed',
    );
  });

  it('is not one that goes on, whatever its log names', () => {
    const log = { jobManagerLog: { text: `${INFO}goes on\n${survived}`, stopped: false } };
    expect(told(late, look(late, answered([]), log))).toBe('failed failed StartDeadlineExceeded');
  });

  it('is not why a job lost its TaskManagers', () => {
    const [main] = jobManagerPod().containers;
    if (main === undefined) throw new Error('no container');
    const side = { ...main, name: 'side', ready: false, state: 'terminated', reason: 'Error', exitCode: 1 } as const;
    const message = 'JobMasterException: TaskManager with id x-taskmanager-1-1 is no longer reachable.';
    const rest = {
      ...(answered([jobOf(running, { state: 'FAILED' })]) as Answered),
      result: { answers: {}, rootException: { message, stackTrace: message } },
    };
    expect(told(running, look(running, rest, pods(running, jobManagerPod({ containers: [main, side] }))))).toBe(
      'ended failed TaskManagerCrashed',
    );
  });
});

describe('the deadline of a start', () => {
  it('leaves open what a JobManager did that has started and is not heard', () => {
    const going = jobManagerPod({ deleting: true });
    expect(told(late, look(late, UNREACHABLE, pods(late, going)))).toBe('ended unknown StartDeadlineExceeded');
    const log = { jobManagerLog: { text: `${INFO}goes on`, stopped: false } };
    expect(told(late, look(late, UNREACHABLE, { ...pods(late, going), ...log }))).toBe(
      'failed failed StartDeadlineExceeded',
    );
    expect(told(late, look(late, UNREACHABLE, pods(late, waiting)))).toBe('failed failed StartDeadlineExceeded');
  });

  it('rests on how things stood, where nothing else explains it', () => {
    const verdict = decide(look(late, UNREACHABLE, pods(late, waiting)), late, NOW);
    expect(verdict).toHaveProperty('outcome.evidence.0', expect.stringMatching(/^Deployment /));
  });

  it('is missed by a job whose tasks run while it is canceled, or that is gone before', () => {
    const of = (change: Partial<JobSummary>) => told(late, look(late, answered([jobOf(late, change)])));
    expect(of({ state: 'CANCELLING', tasks: { RUNNING: 1 } })).toBe('failed failed StartDeadlineExceeded');
    expect(of({ state: 'RUNNING', tasks: { RUNNING: 1 } })).toBe('wait');
  });
});

describe('an end that Flink settles late', () => {
  const finished = jobOf(running, { state: 'FINISHED', endTime: NOW - 300 });
  const older = (jobs: readonly JobSummary[], main?: 'returned'): RestFacts => ({
    ...{ state: 'answered', facts: omit((answered(jobs) as Answered).facts, 'applications') },
    ...(main && { main: { state: main } }),
  });
  const settled = (ago: number, ...jobs: readonly JobSummary[]) => ({
    seen: look(running, older(jobs, 'returned')),
    record: noted({ mainReturnedAt: NOW - ago }),
  });

  it('is that of main() when its JobManager has gone on for ten seconds', () => {
    const of = (ago: number, ...jobs: readonly JobSummary[]) => {
      const { seen, record } = settled(ago, ...jobs);
      return told(record, seen);
    };
    expect(of(MAIN_SETTLES - 1, finished)).toBe('wait');
    expect(of(MAIN_SETTLES, finished)).toBe('ended succeeded JobFinished');
    expect(of(MAIN_SETTLES, { ...finished, state: 'CANCELED' })).toBe('ended canceled JobCanceled');
    const failed = { ...finished, id: 'f'.repeat(32), state: 'FAILED' as const };
    expect(of(MAIN_SETTLES, finished, failed)).toBe('ended failed JobFailed');
    const { seen, record } = settled(MAIN_SETTLES, finished);
    const { evidence } = (decide(seen, record, NOW) as Ended).outcome;
    expect(evidence[0]).toMatch(/has gone on for 10 s$/);
  });

  it('is none of a JobManager that was replaced, or without a job, or where nobody tells of main()', () => {
    const record = noted({ mainReturnedAt: NOW - MAIN_SETTLES }, withOptions(running, HA));
    const replaced = look(record, older([finished], 'returned'), pods(record, jobManagerPod({ uid: 'next' })));
    expect(told(record, replaced)).toBe('wait');
    const log = { jobManagerLog: { text: `${INFO}Application completed SUCCESSFULLY`, stopped: false } };
    expect(decide(look(running, older([], 'returned'), log), running, NOW).rule).not.toBe('application-ended');
    expect(told(running, look(running, older([finished]), log))).toBe('wait');
  });

  const replaced = noted({ jobManager: { podUid: 'first', restartCount: 0 } }, withOptions(running, HA));
  const listed = (status: string, jobs: readonly JobSummary[], applicationException?: RootException) =>
    look(running, {
      ...(answered(jobs, { applications: [{ id: 'a', name: 'a', status }] }) as Answered),
      ...(applicationException && { applicationException }),
    });
  const again = { message: 'x', stackTrace: 'DuplicateJobSubmissionException: Job has already been submitted.' };

  it('is that of the jobs where high availability began main() a second time', () => {
    const verdict = decide(listed('FAILED', [finished], again), replaced, NOW);
    expect(verdict).toMatchObject({ outcome: { reason: 'JobFinished', flinkState: 'FINISHED' } });
    expect(verdict).toHaveProperty('outcome.evidence.0', expect.stringMatching(/of a JobManager after the job's end$/));
    expect(told(replaced, listed('FAILED', [finished]))).toBe('ended succeeded JobFinished');
    expect(told(replaced, listed('FAILED', [], again))).toBe('ended failed ApplicationFailed');
    const failed = { ...finished, id: 'f'.repeat(32), state: 'FAILED' as const };
    expect(told(replaced, listed('FAILED', [finished, failed], again))).toBe('ended failed ApplicationFailed');
    expect(told(replaced, listed('CANCELED', [finished], again))).toBe('ended canceled JobCanceled');
  });

  it('has the time that Flink tells, where it tells one', () => {
    const at = (endTime?: number) => {
      const applications = [{ id: 'a', name: 'a', status: 'FINISHED', ...(endTime !== undefined && { endTime }) }];
      const verdict = decide(look(running, answered([finished], { applications })), noted({ jobsEndedAt: 5 }), NOW);
      return verdict.kind === 'wait' ? undefined : verdict.outcome.at;
    };
    expect([at(NOW - 1), at(-1), at(0), at()]).toEqual([NOW - 1, NOW, NOW, NOW]);
  });

  it('is a cancel where Flink says so, whatever its job came to', () => {
    const failed = { ...finished, state: 'FAILED' as const };
    expect(told(running, listed('CANCELED', [failed]))).toBe('ended canceled JobCanceled');
    const thrown = { message: 'a.B: x', stackTrace: 'a.B: x' };
    const canceled = { ...finished, state: 'CANCELED' as const };
    expect(told(givenUp(running, NOW - 1), listed('FAILED', [canceled], thrown))).toBe(
      'failed failed StartDeadlineExceeded',
    );
  });
});

describe('a job of a session', () => {
  const submission = { by: 'x', at: NOW - 5_000, answeredAt: NOW - 5_000, highAvailability: false };
  const own = inSession({ deploymentUid: 'd', submission }, starting);
  const other = jobOf(starting, { id: 'f'.repeat(32), startTime: NOW });

  it('ends though another goes on, and is none of those that do', () => {
    expect(told(own, look(own, answered([jobOf(own, { state: 'FINISHED' }), other])))).toBe(
      'ended succeeded JobFinished',
    );
    expect(told(own, look(own, answered([{ ...other, state: 'FINISHED' }])))).toBe('wait');
  });

  it('has the accumulators and the end that Flink tells', () => {
    const rest = {
      ...(answered([jobOf(own, { state: 'FINISHED', endTime: 0 })]) as Answered),
      result: {
        answers: {},
        accumulators: { n: '1' },
        rootException: { message: 'x', stackTrace: 'StateMigrationException: x' },
      },
    };
    expect(decide(look(own, rest), own, NOW)).toMatchObject({
      outcome: { reason: 'JobFinished', accumulators: { n: '1' }, at: NOW },
    });
  });

  it('is told of by its session’s JobManager, and once it runs not by TaskManagers', () => {
    const runs = inSession({ deploymentUid: 'd', submission }, running);
    const because = (...all: readonly PodFacts[]) => {
      const verdict = decide(look(runs, answered([jobOf(runs)]), pods(runs, ...all)), runs, NOW);
      return verdict.kind === 'wait' ? verdict.because : verdict.outcome.message;
    };
    expect(because(jobManagerPod(), worker({ createdAt: 1 }, broken))).toBe('job is RUNNING');
    expect(because(jobManagerPod({ createdAt: 1 }, { ...broken, ready: false }))).toMatch(/cannot be pulled/);
  });

  it('that is lost rests on how its session stood', () => {
    const verdict = decide(look(own, UNREACHABLE, { kubernetes: ABSENT }), own, NOW);
    expect(verdict).toHaveProperty('outcome.evidence.0', expect.stringMatching(/^Deployment /));
  });

  it('and who canceled it are named', () => {
    const canceled = { ...own, cancelRequested: { ...asked, at: NOW - 600_000 } };
    expect(decide(look(own, answered([jobOf(own)])), canceled, NOW)).toMatchObject({
      outcome: { message: expect.stringMatching(/^Canceled by a test: /) as string, evidence: [] },
    });
  });
});

describe('an explanation says', () => {
  const stream: ActiveRun = {
    ...running,
    job: {
      ...{ ...running.job, kind: 'streaming' },
      state: {
        ...{ upgradeMode: 'savepoint', fallback: 'none', format: 'NATIVE', savepointDeadline: 60_000 },
        ...{ savepointDirectory: 's3://state/sp', probation: 1, rollback: 'automatic', history: { count: 1, age: 1 } },
      },
    },
  };
  const by = { at: NOW - 4_000, by: 'deployment x', reason: 'ReplacedByNewerRun' } as const;
  const withSavepoint: StopRequest = {
    ...{ ...by, mode: 'savepoint', until: NOW + 60_000, fallback: 'none' },
    savepoint: savepointTry(stream, 1, { format: 'NATIVE', drain: false }),
  };
  const why = (record: ActiveRun, seen: Observation) => {
    const { rows, abortRows, stopRows } = explain({ observation: seen, record, now: NOW });
    return Object.fromEntries([...rows, ...abortRows, ...stopRows].map((row) => [row.rule, row.why]));
  };
  const stopping = { ...stream, stopRequested: withSavepoint, stopTries: 1 };
  const savepoint = { kind: 'savepoint', path: 's3://x', checkpointId: 7 } as const;
  const going = answered([jobOf(stream)]);

  it('what is known of a stop', () => {
    const stop = (of: Observation['stop']) =>
      why(stopping, look(stream, going, of && { stop: of }))['stopped-with-savepoint'];
    expect(stop(undefined)).toMatch(
      /^job \S+ is RUNNING; the rules of the mode: wait by no-end-seen; no savepoint was looked for$/,
    );
    expect(stop({ savepoint: null, operation: { ordinal: 2, state: 'failed' } })).toMatch(
      /savepoint 2 is failed, no savepoint is complete$/,
    );
    expect(stop({ savepoint, newest: savepoint })).toMatch(
      /savepoint s3:\/\/x is complete, number 7, Flink's newest is number 7$/,
    );
    expect(why(stopping, look(stream, UNREACHABLE))['stopped-with-savepoint']).toMatch(/^REST shows no job; /);
    expect(why(stopping, look(stream, going))['stopped-by-cancel']).toMatch(/no checkpoint is waited for$/);
    const cancel = { ...stream, stopRequested: { ...by, mode: 'last-state' } as const };
    expect(why(cancel, look(stream, going))['stopped-by-cancel']).toMatch(/canceled by deployment x 4 s ago$/);
  });

  it('nothing of a stop that nobody asked for, or of an attempt that nobody gave up', () => {
    expect(Object.keys(why(stream, look(stream, going)))).not.toContain('stopped-with-savepoint');
    const { abortRows, stopRows } = explain({ observation: look(stream, going), record: stream, now: NOW });
    expect([abortRows, stopRows]).toEqual([[], []]);
  });

  it('how an attempt that was given up stands', () => {
    const given = why(givenUp(running, NOW - 4_000), look(running, answered([jobOf(running)])));
    expect(given['aborted-job-stopped']).toMatch(/wait by no-end-seen; a job that may still finish: yes$/);
    expect(given['aborted-job-stopping']).toBe(
      `given up for StartDeadlineExceeded; ${STOP_GRACE / 1000} s to stop: 4 s used`,
    );
    const done = why(givenUp(running, NOW), look(running, answered([jobOf(running, { state: 'FINISHED' })])));
    expect(done['aborted-job-stopped']).toMatch(/may still finish: no$/);
    expect(done['aborted-job-stopping']).toBe('the job ended before it was stopped, by application-ended');
  });

  it('where a submission stands, and that a job which is there was seen', () => {
    const submission = { by: 'x', at: NOW - 5_000, highAvailability: false };
    const of = (change: Partial<Attempt>) =>
      why(inSession(change, late), look(late, answered([jobOf(late, { tasks: {} })])));
    expect(of({})['submission-deadline']).toMatch(
      /^the job was not submitted; job \S+ is RUNNING; deadlines\.start 600 s: 600 s used$/,
    );
    expect(of({ submission })['submission-deadline']).toMatch(/^submitted 5 s ago, not answered; /);
    expect(of({ submission: { ...submission, answeredAt: NOW - 3_000 } })['submission-deadline']).toMatch(
      /^submitted, answered 3 s ago; /,
    );
    const { rows } = explain({
      observation: look(late, answered([jobOf(late, { tasks: {} })])),
      record: inSession({ submission }, late),
      now: NOW,
    });
    expect(rows.find(({ rule }) => rule === 'submission-deadline')?.result).toBe('not-held');
  });

  it('which ends a log tells, of the job’s own alone with high availability, and ten at most', () => {
    const end = (id: string) => `${INFO}Job x (${id}) switched from state RUNNING to FINISHED.\n`;
    const told = (record: ActiveRun, text: string) =>
      why(record, look(record, UNREACHABLE, { jobManagerLog: { text, stopped: false } }))['application-end-in-log'] ??
      '';
    const { jobId } = running.attempts[0];
    const text = end(jobId) + end('f'.repeat(32));
    expect(told(running, text).match(/is FINISHED/g)).toHaveLength(2);
    expect(told(withOptions(running, HA), text)).toMatch(new RegExp(`tells that job ${jobId} is FINISHED$`));
    const many = Array.from({ length: 12 }, (_, i) => end(i.toString(16).padStart(32, '0'))).join('');
    expect(told(running, many).match(/is FINISHED/g)).toHaveLength(10);
  });

  it('which of several jobs goes on', () => {
    const jobs = [
      jobOf(running, { startTime: 1 }),
      jobOf(running, { id: 'f'.repeat(32), state: 'FINISHED', startTime: 2 }),
    ];
    expect(why(running, look(running, answered(jobs)))['no-end-seen']).toMatch(/ is RUNNING$/);
  });

  it('what trouble Flink has with the state', () => {
    const trouble = { message: 'x', stackTrace: 'StateMigrationException: The new key serializer' };
    const rest = { ...(answered([jobOf(starting, { state: 'RESTARTING', tasks: {} })]) as Answered), trouble };
    expect(why(starting, look(starting, rest))['state-refused']).toMatch(
      /does not take the state: .*The new key serializer$/,
    );
    expect(decide(look(starting, rest), starting, NOW)).toHaveProperty(
      'outcome.evidence.0',
      expect.stringMatching(/^Deployment /),
    );
  });
});
