import { describe, expect, it } from 'vitest';
import type { JobSummary } from '../../lib/flink/job-manager.ts';
import type { EventFacts, Owner, PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { decide, explain } from '../../lib/verdict/decide.ts';
import { CANCEL_GRACE } from '../../lib/verdict/shared-rules.ts';
import type { Observation, RestFacts } from '../../lib/verdict/observation.ts';
import { omit } from '../../lib/core/omit.ts';
import { updateAttempt } from '../../lib/run/machine.ts';
import type { ActiveRun, Attempt, Outcome } from '../../lib/run/record.ts';
import { ABSENT, asked, finished, RUN, withOptions } from './any-case.ts';
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
 * What a verdict tells beside its reason: when, of what, resting on what; and how `runs explain` says what each rule saw.
 */
type Answered = Extract<RestFacts, { state: 'answered' }>;

const running = runIn('running', 60_000);
const starting = runIn('starting', 5_000);
const AT = '2026-11-21 03:00:00,000';
const FLINK = `${AT} INFO  org.apache.flink.runtime.X [] - goes on\n`;
const NEVER_LOGGED = 'Error: Could not find or load main class\n';
const crash = { state: 'terminated', reason: 'Error', exitCode: 1 } as const;
const crashed = jobManagerPod({ ready: false }, crash);
const noted = (change: Partial<Attempt>, record: ActiveRun = running) => updateAttempt(record, change);
const log = (text: string, stopped = true): Partial<Observation> => ({ jobManagerLog: { text, stopped } });
const failed = (rootException?: { message: string; stackTrace: string }, job: Partial<JobSummary> = {}): RestFacts => ({
  ...(answered([jobOf(running, { state: 'FAILED', ...job })]) as Answered),
  result: { answers: {}, accumulators: { n: '1' }, ...(rootException && { rootException }) },
});

function outcomeOf(record: ActiveRun, seen: Observation): Outcome {
  const verdict = decide(seen, record, NOW);
  if (verdict.kind === 'wait') throw new Error(verdict.because);
  return verdict.outcome;
}

describe('a job that Flink tells the end of', () => {
  const ROOT = { message: 'a.B: no luck\nmore', stackTrace: 'a.B: no luck\n\tat a.B.c(B.java:1)' };
  const MAIN = {
    message: 'a.B: main threw',
    stackTrace: 'ProgramInvocationException: The main method caused an error: x',
  };

  it('has its exception, its time, its accumulators and what was asked', () => {
    const told = outcomeOf(running, look(running, failed(ROOT, { endTime: NOW - 10, tasks: { FAILED: 1 } })));
    expect(told).toMatchObject({
      ...{
        state: 'failed',
        reason: 'JobFailed',
        message: 'The job failed: a.B: no luck',
        at: NOW - 10,
        jobDuration: 500,
      },
      ...{ rootException: ROOT.message, stackTrace: ROOT.stackTrace, accumulators: { n: '1' }, flinkState: 'FAILED' },
    });
    expect(told.evidence).toEqual([
      'GET /applications/overview: a FAILED',
      `GET /jobs/${running.attempts[0].jobId}: state FAILED`,
    ]);
  });

  it('has the time of the look, and no duration, where Flink knows neither', () => {
    for (const endTime of [-1, 0]) {
      const told = outcomeOf(running, look(running, failed(ROOT, { endTime })));
      expect(told.at).toBe(NOW);
      expect(told).not.toHaveProperty('jobDuration');
    }
  });

  it('has no exception that it survived', () => {
    const told = outcomeOf(running, look(running, failed(ROOT, { state: 'FINISHED' })));
    expect(told).toMatchObject({ message: 'The job finished', accumulators: { n: '1' } });
    expect(told).not.toHaveProperty('rootException');
  });

  it('failed though nobody tells of what', () => {
    expect(outcomeOf(running, look(running, failed())).message).toBe('The job failed');
    expect(outcomeOf(running, look(running, answered([jobOf(running, { state: 'FAILED' })]))).message).toBe(
      'The job failed',
    );
  });

  it('stands for main() only where no task of it ever was', () => {
    const none = { tasks: { SCHEDULED: 0, CANCELED: 0 } };
    const stands = outcomeOf(running, look(running, failed(MAIN, none)));
    expect(stands).toMatchObject({ reason: 'ApplicationFailed', message: 'main() failed: a.B: main threw' });
    expect(outcomeOf(running, look(running, failed(MAIN, { tasks: { CANCELED: 1 } }))).reason).toBe('JobFailed');
    expect(outcomeOf(running, look(running, failed(ROOT, none))).reason).toBe('JobFailed');
  });

  it('was refused the state that it was to start from', () => {
    const message = 'org.apache.flink.util.StateMigrationException: The new key serializer';
    const told = outcomeOf(running, look(running, failed({ message, stackTrace: message })));
    expect(told).toMatchObject({ reason: 'StateIncompatible', rootException: message });
    expect(told.message).toContain('The new key serializer');
  });

  it('of a state of a newer Flink is told by Flink’s own word', () => {
    const apps = { applications: [{ id: 'a', name: 'a', status: 'FINISHED' }] };
    const jobs = [jobOf(running, { state: 'FINISHED', reportedState: 'FINISHED_WELL' })];
    expect(outcomeOf(running, look(running, answered(jobs, apps))).jobs).toMatchObject([{ state: 'FINISHED_WELL' }]);
  });
});

describe('an application', () => {
  const job = (index: number, change: Partial<JobSummary> = {}): JobSummary =>
    jobOf(running, { id: index.toString(16).padStart(32, '0'), state: 'FINISHED', endTime: NOW - 1, ...change });
  const of = (status: string, jobs: readonly JobSummary[], more: object = {}, record: ActiveRun = running) =>
    outcomeOf(
      record,
      look(record, {
        ...answered(jobs, { applications: [{ id: 'a', name: 'a', status, jobs: jobs.length }] }),
        ...more,
      }),
    );

  it('of several jobs that failed tells of how many finished, resting on both ends', () => {
    const told = of('FAILED', [job(1), job(2), job(3, { state: 'FAILED' })]);
    expect(told.message).toBe('The job failed (2 of 3 jobs finished)');
    expect(told.evidence).toHaveLength(2);
    expect(told).not.toHaveProperty('jobDuration');
    expect(told).toMatchObject({ jobs: [{ state: 'FINISHED' }, { state: 'FINISHED' }, { state: 'FAILED' }] });
  });

  it('that was canceled with its job is told by the job, and without one by Flink', () => {
    expect(of('CANCELED', [job(1, { state: 'CANCELED' })]).message).toBe('The job was canceled');
    const finishedBefore = of('CANCELED', [job(1)]);
    expect(finishedBefore).toMatchObject({ state: 'canceled', message: 'The application was canceled' });
  });

  it('that finished after a job had failed tells nothing of the failure', () => {
    const ofJob = { message: 'x', stackTrace: 'JobExecutionException' };
    expect(of('FAILED', [job(1)], { applicationException: ofJob })).toMatchObject({
      reason: 'ApplicationFailed',
      rootException: 'x',
      stackTrace: ofJob.stackTrace,
    });
    expect(of('FINISHED', [job(1, { state: 'CANCELED' })])).toMatchObject({
      state: 'succeeded',
      message: /went on after 1 of its 1 jobs/ as never,
    });
  });

  it('whose job is listed no more has its exception', () => {
    const ofJob = { message: 'a.B: no', stackTrace: 'JobExecutionException: a.B: no' };
    expect(of('FAILED', [], { applicationException: ofJob })).toMatchObject({
      ...{ reason: 'JobFailed', rootException: 'a.B: no', stackTrace: ofJob.stackTrace },
    });
    expect(of('FAILED', [])).toMatchObject({ reason: 'ApplicationFailed', message: 'main() failed' });
  });

  it('whose attempt was given up, or that was asked to stop, was stopped where a job of it was', () => {
    const canceled = job(1, { state: 'CANCELED' });
    const abortOutcome = {
      state: 'failed',
      reason: 'StartDeadlineExceeded',
      message: 'late',
      at: 0,
      evidence: ['e'],
    } as const;
    const thrown = { applicationException: { message: 'a.B: x', stackTrace: 'a.B: x' } };
    expect(of('FAILED', [canceled], thrown, { ...running, cancelRequested: asked }).state).toBe('canceled');
    expect(decide(look(running, answered([canceled])), noted({ abortOutcome }), NOW)).toMatchObject({
      outcome: { reason: 'StartDeadlineExceeded' },
    });
    expect(of('FAILED', [job(1)], thrown, { ...running, cancelRequested: asked }).reason).toBe('ApplicationFailed');
    expect(of('FAILED', [canceled], thrown).reason).toBe('ApplicationFailed');
  });

  it('has the accumulators of its only job, up to what an event holds', () => {
    const size = 256 * 1024 - JSON.stringify({ a: '' }).length;
    const accumulators = (length: number) => ({
      results: { [job(1).id]: { answers: {}, accumulators: { a: 'x'.repeat(length) } } },
    });
    expect(of('FINISHED', [job(1), job(2)], accumulators(size)).jobs?.[0]).toHaveProperty('accumulators');
    expect(of('FINISHED', [job(1), job(2)], accumulators(size + 1)).jobs?.[0]).not.toHaveProperty('accumulators');
  });

  it('that Flink counts one job of is not over while it lists none, for ten seconds', () => {
    const listed = (endTime: number, jobs: readonly JobSummary[]) => {
      const applications = [{ id: 'a', name: 'a', status: 'FINISHED', endTime, jobs: 1 }];
      return decide(look(running, answered(jobs, { applications })), running, NOW).kind;
    };
    expect([listed(NOW - 9_999, []), listed(NOW - 10_000, []), listed(NOW - 1, [job(1)])]).toEqual([
      'wait',
      'ended',
      'ended',
    ]);
    expect(listed(0, [])).toBe('ended');
  });
});

describe('a JobManager that stopped', () => {
  it('has failed of what Kubernetes and its log say, with the evidence of both', () => {
    const text = `${FLINK}${AT} ERROR org.apache.flink.X [] - no\njava.lang.OutOfMemoryError: Java heap space\n\tat a.B.c(B.java:1)\n`;
    const told = outcomeOf(starting, look(starting, UNREACHABLE, { ...pods(starting, crashed), ...log(text) }));
    expect(told.evidence.join('\n')).toMatch(/exit code 1[^]*log: .*OutOfMemoryError|OutOfMemoryError[^]*exit code 1/);
    expect(told.rootException).toContain('OutOfMemoryError');
  });

  it('that never came to its logging has run no job', () => {
    const of = (text: string) =>
      decide(look(starting, UNREACHABLE, { ...pods(starting, crashed), ...log(text) }), starting, NOW);
    expect(of(NEVER_LOGGED)).toMatchObject({ kind: 'failed', outcome: { reason: 'JobManagerCrashed' } });
    expect(of('')).toMatchObject({ kind: 'ended', outcome: { state: 'unknown' } });
    expect(of(`${NEVER_LOGGED}${AT} WARN  a.B [] - hello\n`)).toMatchObject({
      kind: 'ended',
      outcome: { state: 'unknown' },
    });
    expect(
      decide(look(running, UNREACHABLE, { ...pods(running, crashed), ...log(NEVER_LOGGED) }), running, NOW),
    ).toMatchObject({ kind: 'ended', outcome: { state: 'unknown' } });
  });

  it('whose log names what is wrong with the request has failed of that, whatever it is that it logs', () => {
    const missing = "The program's entry point class 'a.B' was not found in the jar file";
    const of = (record: ActiveRun) =>
      decide(
        look(record, UNREACHABLE, { ...pods(record, crashed), ...log(`${AT} WARN  a.B [] - hello\n${missing}`) }),
        record,
        NOW,
      );
    expect(of(starting)).toMatchObject({ kind: 'failed', outcome: { reason: 'MainClassMissing' } });
    expect(of(running)).toMatchObject({ kind: 'ended', outcome: { state: 'unknown' } });
  });

  it('was killed if the JobManager was, and not if a TaskManager was', () => {
    const survived = `${FLINK}${AT} ERROR org.apache.flink.X [] - no\norg.apache.flink.RpcConnectionException: early\n\tat a.B.c(B.java:1)\n`;
    const killed = { ...crash, exitCode: 137 };
    const of = (...all: PodFacts[]) =>
      outcomeOf(starting, look(starting, UNREACHABLE, { ...pods(starting, ...all), ...log(survived) })).message;
    expect(of(jobManagerPod({ ready: false }, killed))).toContain('exit code 137');
    expect(of(crashed, jobManagerPod({ component: 'taskmanager', name: 't', ready: false }, killed))).toContain(
      'RpcConnectionException',
    );
    const held = {
      state: 'waiting',
      reason: 'CrashLoopBackOff',
      restartCount: 1,
      last: { reason: 'Error', exitCode: 137 },
    } as const;
    expect(of(jobManagerPod({ ready: false }, held))).toContain('exit code 137');
  });
});

describe('a JobManager that was replaced', () => {
  const next = jobManagerPod({ uid: 'next' });
  const told = (record: ActiveRun, ...all: PodFacts[]) =>
    outcomeOf(record, look(record, UNREACHABLE, pods(record, ...all)));

  it('is told of as it was', () => {
    expect(told(running, next).message).toMatch(/was replaced by another pod while its job ran/);
    expect(told(running, jobManagerPod({}, { restartCount: 1 })).message).toMatch(/restarted while its job ran/);
    const early = noted({ jobManager: { podUid: 'jm', restartCount: 0 } }, starting);
    expect(told(early, next).message).toMatch(/before its job was seen to run/);
  });

  it('rests on how its cluster stood, and on what Kubernetes says', () => {
    expect(told(running, next).evidence.join('\n')).toMatch(
      /^Deployment .*\npod c-x: Running, ready, 0 restarts\nREST: its JobManager is not the one/,
    );
    const evicted = jobManagerPod(
      { ready: false, phase: 'Failed', reason: 'Evicted', createdAt: NOW - 9_000 },
      { ...crash, exitCode: 137 },
    );
    const taken = told(running, evicted, next);
    expect(taken).toMatchObject({ reason: 'PodEvicted' });
    expect(taken.message).toMatch(/: Kubernetes took the JobManager's pod away: Evicted/);
    const worker = jobManagerPod(
      { component: 'taskmanager', name: 't', ready: false, phase: 'Failed', reason: 'Evicted' },
      crash,
    );
    const other = told(running, next, worker);
    expect(other.reason).toBe('JobLost');
    expect(other.evidence.at(-1)).toMatch(/TaskManager/);
  });

  it('counts from the start at which it was first seen', () => {
    const second = noted({ jobManager: { podUid: 'jm', restartCount: 1 } });
    const of = (restartCount: number) =>
      decide(look(second, answered([jobOf(second)]), pods(second, jobManagerPod({}, { restartCount }))), second, NOW);
    expect([of(1).kind, of(2).kind]).toEqual(['wait', 'ended']);
  });

  it('fails of what is wrong with the request, where each of them would', () => {
    const text = "The program's entry point class 'a.B' was not found in the jar file";
    const of = (record: ActiveRun, said: string) =>
      decide(
        look(record, UNREACHABLE, {
          ...pods(
            record,
            jobManagerPod({ ready: false }, { ...crash, restartCount: 3, last: { reason: 'Error', exitCode: 1 } }),
          ),
          ...log(said),
        }),
        record,
        NOW,
      );
    expect(of(starting, text)).toMatchObject({ kind: 'failed', outcome: { reason: 'MainClassMissing' } });
    const seen = noted({ jobManager: { podUid: 'jm', restartCount: 0 } }, starting);
    expect(of(seen, text)).toMatchObject({ kind: 'ended', outcome: { reason: 'JobLost' } });
    expect(
      of(starting, `${FLINK}${AT} ERROR org.apache.flink.X [] - no\norg.apache.flink.RpcConnectionException: early\n`),
    ).toMatchObject({
      kind: 'ended',
      outcome: { reason: 'JobLost' },
    });
  });
});

describe('a look', () => {
  it('hears nothing of the job where REST is silent, or has none', () => {
    const of = (rest: RestFacts) =>
      decide(look(running, rest), { ...withOptions(running, { 'high-availability.type': 'kubernetes' }) }, NOW);
    expect(of(UNREACHABLE)).toMatchObject({ kind: 'wait', unreachable: true });
    expect(of(answered([]))).toMatchObject({ kind: 'wait', unreachable: true });
    expect(of(answered([jobOf(running)]))).toMatchObject({ kind: 'wait', unreachable: false });
  });

  it('notes the id that Flink gave the job, and that it runs, once', () => {
    const id = 'c'.repeat(32);
    const seen = look(starting, answered([jobOf(starting, { id })]));
    expect(decide(seen, starting, NOW)).toMatchObject({ running: { at: NOW - 500, jobId: id } });
    expect(decide(look(starting, answered([jobOf(starting, { id: 'x' })])), starting, NOW)).not.toHaveProperty(
      'running.jobId',
    );
    expect(decide(seen, running, NOW)).not.toHaveProperty('running');
    const ended = answered([jobOf(running, { state: 'FINISHED' })]);
    expect(decide(look(running, ended), running, NOW)).not.toHaveProperty('running');
  });

  it('says what is waited for', () => {
    const main = { applications: [{ id: 'a', name: 'a', status: 'RUNNING' }] };
    const because = (rest: RestFacts, more: Partial<Observation> = {}) => {
      const verdict = decide(look(starting, rest, more), starting, NOW);
      return verdict.kind === 'wait' ? verdict.because : verdict.outcome.message;
    };
    expect(because(answered([jobOf(starting, { state: 'FINISHED' })], main))).toBe(
      'its jobs have ended, and main() has not',
    );
    expect(because(answered([]))).toBe('the JobManager has no job yet');
    expect(because(UNREACHABLE)).toBe('REST does not answer: connection refused');
    const unschedulable = jobManagerPod({ ready: false, unschedulable: '0/1 nodes' }, { state: 'waiting' });
    expect(because(UNREACHABLE, pods(starting, unschedulable))).toContain('0/1 nodes');
  });

  it('without deadlines.run or trouble goes on for years, and after a silence that is over', () => {
    const deadlines = omit(running.job.deadlines, 'run');
    const old: ActiveRun = { ...runIn('running', 3 * 365 * 86_400_000), job: { ...running.job, deadlines } };
    expect(decide(look(old, answered([jobOf(old)])), old, NOW).kind).toBe('wait');
    const silent = { ...running, unreachableSince: NOW - 86_400_000 };
    expect(decide(look(silent, answered([jobOf(silent)])), silent, NOW).kind).toBe('wait');
  });
});

describe('main() that hangs', () => {
  const late = noted({ jobsEndedAt: NOW - 86_400_000 });
  const ended = answered([jobOf(running, { state: 'FINISHED', endTime: NOW - 86_400_000 })]);
  const older = omit((ended as Answered).facts, 'applications');
  const told = (stack: string) =>
    outcomeOf(late, look(late, { state: 'answered', facts: older, main: { state: 'running', stack } }));

  it('is told of by the innermost frame of the program, and by its first frames', () => {
    const stack = [
      'at java.base@17/java.lang.Thread.sleep(Native Method)',
      'at jdk.internal.X.y(X.java:1)',
      'at app//com.sun.Main.waits(Main.java:7)',
      ...Array.from({ length: 20 }, (_, i) => `at a.Main.f${i}(Main.java:9)`),
    ];
    const { message, evidence, jobs } = told(stack.map((frame) => `  ${frame}  `.trimEnd()).join('\n'));
    expect(message).toMatch(/\(deadlines\.main\), in com\.sun\.Main\.waits\(Main\.java:7\)$/);
    expect(evidence.filter((line) => line.startsWith('main(): '))).toEqual(
      stack.slice(0, 12).map((frame) => `main(): ${frame}`),
    );
    expect(evidence.some((line) => line.startsWith('Deployment '))).toBe(true);
    expect(jobs).toHaveLength(1);
  });

  it('is told of by whatever frame there is', () => {
    expect(told('at java.lang.Thread.run(Thread.java:1)').message).toMatch(
      /, in java\.lang\.Thread\.run\(Thread\.java:1\)$/,
    );
    expect(told('?').message).toMatch(/, in main\(\)$/);
  });

  it('has no place and no frame where nobody tells', () => {
    const listed = answered([jobOf(running, { state: 'FINISHED', endTime: NOW - 86_400_000 })], {
      applications: [{ id: 'a', name: 'a', status: 'RUNNING' }],
    });
    const { message, evidence } = outcomeOf(late, look(late, listed));
    expect(message).toMatch(/\(deadlines\.main\)$/);
    expect(evidence[0]).toMatch(/^Deployment /);
  });

  it('has not been seen to hang by one that has returned', () => {
    const seen = look(late, { state: 'answered', facts: older, main: { state: 'returned' } });
    expect(decide(seen, late, NOW).kind).toBe('wait');
  });
});

describe('an explanation of a decision says', () => {
  const why = (rule: string, record: ActiveRun, seen: Observation): string =>
    explain({ observation: seen, record, now: NOW }).rows.find((row) => row.rule === rule)?.why ?? '';
  const quiet = look(running, answered([jobOf(running)]));
  const canceled: ActiveRun = { ...running, cancelRequested: { ...asked, at: NOW - CANCEL_GRACE } };
  const ha = withOptions(running, { 'high-availability.type': 'kubernetes' });
  const { jobId } = running.attempts[0];

  it.each<readonly [string, ActiveRun, Observation, RegExp]>([
    ['no-end-seen', running, quiet, new RegExp(`^job ${jobId} is RUNNING$`)],
    ['no-end-seen', running, look(running, UNREACHABLE), /^REST does not answer: connection refused$/],
    ['no-end-seen', running, look(running, answered([])), /answers and has no job$/],
    ['no-end-seen', ha, look(ha, answered([])), new RegExp(`has no job ${jobId}$`)],
    [
      'no-end-seen',
      running,
      look(running, answered([jobOf(running, { state: 'UNKNOWN', reportedState: 'NEW' })])),
      /is NEW$/,
    ],
    [
      'main-exited',
      running,
      look(running, UNREACHABLE, pods(running, jobManagerPod({}, { restartCount: 2 }))),
      /^first JobManager: pod uid jm, 0 restarts; now: pod uid jm, 2 restarts$/,
    ],
    ['main-exited', starting, look(starting, UNREACHABLE, pods(starting)), /^first JobManager: none; now: none$/],
    [
      'main-exited',
      starting,
      look(starting, UNREACHABLE, pods(starting, jobManagerPod())),
      /^first JobManager: pod uid jm, 0 restarts; now/,
    ],
    [
      'main-exited',
      running,
      look(running, UNREACHABLE, pods(running, crashed)),
      /^the first JobManager exited with 1; no log/,
    ],
    ['finished-before-deletion', running, quiet, /^no log of a JobManager whose pod is being deleted/],
    [
      'finished-before-deletion',
      running,
      look(running, UNREACHABLE, { leavingLog: FLINK }),
      /tells of no end of the application$/,
    ],
    [
      'finished-before-deletion',
      running,
      look(running, UNREACHABLE, { leavingLog: finished }),
      /tells that the application FINISHED$/,
    ],
    ['application-end-in-log', running, quiet, /^no log of the JobManager was read$/],
    [
      'application-end-in-log',
      running,
      look(running, UNREACHABLE, log('hello', false)),
      /^the log of the JobManager that runs tells of no end of a job$/,
    ],
    [
      'application-end-in-log',
      ha,
      look(ha, UNREACHABLE, log('hello')),
      new RegExp(`^the log of a JobManager that stopped tells of no end of a job ${jobId}$`),
    ],
    [
      'application-end-in-log',
      running,
      look(running, UNREACHABLE, log(finished, false)),
      new RegExp(`tells that job ${jobId} is FINISHED, the application FINISHED$`),
    ],
    ['application-ended', running, look(running, UNREACHABLE), /^REST does not answer/],
    ['application-ended', running, quiet, /^job \S+ is RUNNING, application a is RUNNING$/],
    ['application-ended', running, look(running, answered([])), /^the JobManager answers and has no job$/],
    [
      'application-ended',
      running,
      look(running, { ...(answered([]) as Answered), main: { state: 'returned' } }),
      /has no job, main\(\) has returned$/,
    ],
    [
      'application-ended',
      running,
      look(running, {
        ...(answered([]) as Answered),
        main: { state: 'running', stack: '' },
      }),
      /has no job, main\(\) runs$/,
    ],
    ['cluster-deleted', running, look(running, UNREACHABLE, { kubernetes: ABSENT }), /is absent$/],
    ['cluster-deleted', noted({ deploymentUid: 'first' }), quiet, /uid d, the attempt's is uid first, of run/],
    ['kubernetes-failure', running, quiet, /^pods and events name no failure$/],
    [
      'kubernetes-failure',
      running,
      look(running, UNREACHABLE, pods(running, crashed)),
      /^final failure of the jobmanager: JobManagerCrashed: /,
    ],
    ['taskmanagers-refused', starting, look(starting, UNREACHABLE), /^no log of the JobManager was read$/],
    ['taskmanagers-refused', starting, look(starting, UNREACHABLE, log(FLINK, false)), /names no cause of failure$/],
    [
      'taskmanagers-refused',
      starting,
      look(starting, UNREACHABLE, log('pods "x" is forbidden: exceeded quota: pods, requested: pods=1', false)),
      /^the JobManager's log names QuotaExceeded, 1 times: /,
    ],
    ['canceled-before-start', canceled, quiet, /^asked to stop by a test 30 s ago; first JobManager: /],
    ['job-lost', running, look(running, answered([])), /^the JobManager answers and has no job$/],
    [
      'job-lost',
      { ...ha, unreachableSince: NOW - 5_000 },
      look(ha, answered([])),
      /high availability may take 120 s: 5 s used$/,
    ],
    [
      'main-deadline',
      noted({ jobsEndedAt: NOW - 4_000 }),
      look(running, answered([jobOf(running, { state: 'FINISHED' })], { applications: [] })),
      /deadlines\.main \d+ s: 4 s used$/,
    ],
    ['run-deadline', runIn('running', 7_000), quiet, /^deadlines\.run 3600 s: 7 s used$/],
    ['rest-unreachable', running, quiet, /^REST answers$/],
    [
      'rest-unreachable',
      { ...running, unreachableSince: NOW - 9_000 },
      look(running, UNREACHABLE),
      /not answered for 9 s of 1800 s: connection refused$/,
    ],
    ['state-refused', starting, look(starting, UNREACHABLE), /^Flink tells of no trouble with the state$/],
  ])('of %s what it saw', (rule, record, seen, said) => {
    expect(why(rule, record.job.deadlines.run === undefined ? withRun(record) : record, seen)).toMatch(said);
  });

  function withRun(record: ActiveRun): ActiveRun {
    return { ...record, job: { ...record.job, deadlines: { ...record.job.deadlines, run: RUN } } };
  }

  it('that a deadline is not set', () => {
    const deadlines = omit(running.job.deadlines, 'run');
    expect(why('run-deadline', { ...running, job: { ...running.job, deadlines } }, quiet)).toBe(
      'deadlines.run is not set',
    );
  });

  it('of a pool whose it is', () => {
    const owned = (owner?: Owner) =>
      outcomeOf(running, look(running, UNREACHABLE, { kubernetes: ownedBy(kubernetes(running), owner) })).evidence[0];
    expect(owned({ kind: 'pool', pool: 'small', ledger: 'b' })).toMatch(/pool small$/);
    expect(owned()).toMatch(/run unknown$/);
  });
});

it('a verdict names as many pods as there are, up to five', () => {
  const worker = (index: number) => jobManagerPod({ name: `t-${index}`, component: 'taskmanager' });
  const lines = (count: number) =>
    outcomeOf(
      runIn('running', RUN),
      look(
        running,
        answered([jobOf(running)]),
        pods(running, jobManagerPod(), ...Array.from({ length: count }, (_, i) => worker(i))),
      ),
    ).evidence;
  expect(lines(4)).toHaveLength(7);
  expect(lines(4).join()).not.toContain('more pods');
  expect(lines(5)).toContain('and 1 more pods');
});

it('events of Kubernetes are what a suspicion rests on', () => {
  const event: EventFacts = {
    object: 'Pod/c-x',
    type: 'Warning',
    reason: 'FailedMount',
    message: 'secret "mine" not found',
    count: 9,
    lastSeen: NOW,
  };
  const pod = jobManagerPod(
    { ready: false, createdAt: NOW - 700_000 },
    { state: 'waiting', reason: 'ContainerCreating' },
  );
  const seen = look(starting, UNREACHABLE, { kubernetes: kubernetes(starting, { pods: [pod], events: [event] }) });
  expect(outcomeOf(starting, seen).evidence.join()).toContain('secret "mine" not found');
});
