import { describe, expect, it } from 'vitest';
import type { JobSummary } from '../../lib/flink/job-manager.ts';
import { decide } from '../../lib/verdict/decide.ts';
import type { Observation } from '../../lib/verdict/observation.ts';
import type { ActiveRun, Attempt, Outcome } from '../../lib/run/record.ts';
import { asked, withOptions } from './any-case.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from './observations.ts';

/*
 * What the log of a JobManager that is gone still proves: of main(), of its jobs, and of System.exit().
 */
const running = runIn('running', 60_000);
const ha = withOptions(running, { 'high-availability.type': 'kubernetes' });
const AT = '2026-11-21 03:00:00,000';
const FLINK = `${AT} INFO  org.apache.flink.client.ClientUtils [] - Starting program (detached: false)\n`;
const DOWN = `${FLINK}${AT} INFO  org.apache.flink.X [] - Shutting X down with application status UNKNOWN.\n`;
const BOOTSTRAP = `${AT} WARN  org.apache.flink.client.deployment.application.ApplicationDispatcherBootstrap [] - `;
const first = jobOf(running, { state: 'FINISHED' });
const second = { ...first, id: 'b'.repeat(32), name: 'second' };
const line = (job: JobSummary, from: string, to: string, below = ''): string =>
  `${AT} INFO  org.apache.flink.X [] - Job ${job.name} (${job.id}) switched from state ${from} to ${to}.\n${below}`;
const begins = (job: JobSummary): string => line(job, 'CREATED', 'RUNNING');
const ends = (job: JobSummary, state = 'FINISHED', below = ''): string => line(job, 'RUNNING', state, below);
const noted = (change: Partial<Attempt>, record: ActiveRun = running): ActiveRun => ({
  ...record,
  attempts: [{ ...record.attempts[0], ...change }],
});

/** Its JobManager ended with this code, and this is its log. */
function exited(exitCode: number, text: string, pod: Parameters<typeof jobManagerPod>[0] = {}): Partial<Observation> {
  const container = { state: 'terminated', reason: exitCode === 0 ? 'Completed' : 'Error', exitCode } as const;
  const pods = [jobManagerPod({ ready: false, ...pod }, container)];
  return { kubernetes: kubernetes(running, { pods }), jobManagerLog: { text, stopped: true } };
}

function outcomeOf(record: ActiveRun, more: Partial<Observation>, rest = UNREACHABLE): Outcome {
  const verdict = decide(look(record, rest, more), record, NOW);
  if (verdict.kind === 'wait') throw new Error(verdict.because);
  return verdict.outcome;
}

const CAUSE = 'java.lang.RuntimeException: outer\nCaused by: a.B: no luck\n';
const OF_JOB =
  'org.apache.flink.runtime.client.JobExecutionException: Job execution failed.\nCaused by: a.B: no luck\n';

describe('the log of a JobManager that was killed', () => {
  it.each<readonly [string, string, string, RegExp]>([
    [
      'after all its jobs had finished leaves open what main() did',
      begins(first) + ends(first) + begins(second) + ends(second),
      'unknown OutcomeUnknown',
      /whether main\(\) had ended is not known$/,
    ],
    [
      'after a job had failed tells that the application had',
      ends(first) + ends(second, 'FAILED', CAUSE),
      'failed JobFailed',
      /no luck, as the log/,
    ],
    [
      'after a job had failed, and main() had exited, leaves open with what',
      begins(first) + ends(first, 'FAILED', CAUSE) + DOWN,
      'unknown OutcomeUnknown',
      /with what code main\(\) exited is not known$/,
    ],
    ['after a job was canceled tells that', ends(first, 'CANCELED'), 'canceled JobCanceled', /canceled, as the log/],
    [
      'while its first job went on tells of no end',
      begins(first) + begins(second) + ends(second),
      'failed JobManagerCrashed',
      /not run again/,
    ],
    ['before any job tells of no end', '', 'failed JobManagerCrashed', /exit code 137|SIGKILL|killed|stopped/i],
  ])('%s', (_what, text, expected, said) => {
    const { state, reason, message } = outcomeOf(running, exited(137, FLINK + text));
    expect([`${state} ${reason}`, message]).toEqual([expected, expect.stringMatching(said)]);
  });

  it('names the jobs that it tells of, at most a hundred, and where each stood', () => {
    const told = outcomeOf(running, exited(137, FLINK + ends(first) + ends(second)));
    expect(told.jobs).toEqual([
      { id: first.id, name: 'job', state: 'FINISHED' },
      { id: second.id, name: 'second', state: 'FINISHED' },
    ]);
    expect(told.evidence.join()).toContain(`job ${second.id} switched to FINISHED`);
    const many = Array.from({ length: 101 }, (_, i) => ends({ ...first, id: i.toString(16).padStart(32, '0') }));
    expect(outcomeOf(running, exited(137, FLINK + many.join(''))).jobs).toHaveLength(100);
  });

  it('with high availability tells the end of its job alone', () => {
    expect(outcomeOf(ha, { ...exited(137, FLINK + ends(second) + ends(first)) })).toMatchObject({
      ...{ state: 'succeeded', reason: 'JobFinished' },
    });
    const verdict = decide(look(ha, UNREACHABLE, exited(137, FLINK + ends(second))), ha, NOW);
    expect(verdict.kind).toBe('wait');
  });
});

describe('a log that has the end of the application', () => {
  const told = (text: string, record = running): Outcome => outcomeOf(record, exited(1, FLINK + text));

  it('tells how many jobs finished', () => {
    const success = `${BOOTSTRAP}Application completed SUCCESSFULLY\n`;
    expect(told(ends(first) + success).message).toBe('The job finished, as the log of its JobManager says');
    const both = told(ends(first) + ends(second) + success);
    expect(both).toMatchObject({ state: 'succeeded', reason: 'JobFinished', flinkState: 'FINISHED', at: NOW });
    expect(both.message).toBe('The application finished, with 2 jobs, as the log of its JobManager says');
    expect(both.evidence).toEqual([expect.stringContaining('Application completed SUCCESSFULLY')]);
    expect(told(success)).not.toHaveProperty('jobs');
  });

  it('tells that it was canceled, and by whom', () => {
    const canceled = `${BOOTSTRAP}Application CANCELED\n`;
    expect(told(ends(first, 'CANCELED') + canceled)).toMatchObject({ state: 'canceled', reason: 'JobCanceled' });
    expect(told(canceled, { ...running, cancelRequested: asked }).message).toBe('The job was canceled by a test');
  });

  it('tells that main() failed, or the job that it waited for', () => {
    const failed = (below: string) => `${BOOTSTRAP}Application failed unexpectedly: \n${below}`;
    expect(told(ends(first) + failed(CAUSE))).toMatchObject({
      reason: 'ApplicationFailed',
      rootException: expect.stringContaining('no luck') as string,
    });
    expect(told(ends(first, 'FAILED') + failed(CAUSE)).reason).toBe('ApplicationFailed');
    const ofJob = told(ends(first) + ends(second, 'FAILED', CAUSE) + failed(OF_JOB));
    expect(ofJob).toMatchObject({ state: 'failed', reason: 'JobFailed' });
    expect(ofJob.message).toMatch(/^The job failed: .*no luck, as the log of its JobManager says$/);
    expect(ofJob.rootException).toContain('no luck');
    // The log of the job's own end may be gone, or have no exception.
    expect(told(ends(first, 'FAILED') + failed(OF_JOB))).toMatchObject({
      reason: 'JobFailed',
      rootException: expect.stringContaining('no luck') as string,
    });
    expect(told(ends(first) + failed(OF_JOB)).reason).toBe('ApplicationFailed');
    const silent = told(`${ends(first, 'FAILED')}${BOOTSTRAP}Application FAILED\n`);
    expect(silent).toMatchObject({ reason: 'JobFailed', message: 'The job failed, as the log of its JobManager says' });
    expect(silent).not.toHaveProperty('rootException');
  });
});

describe('a JobManager that goes on without a job', () => {
  const log = (text: string) => ({ jobManagerLog: { text: FLINK + text, stopped: false } });
  const success = `${BOOTSTRAP}Application completed SUCCESSFULLY\n`;

  it('tells by its log how the application ended, and not while it has a job, or is silent', () => {
    expect(outcomeOf(running, log(ends(first) + success), answered([]))).toMatchObject({ reason: 'JobFinished' });
    for (const rest of [answered([jobOf(running)]), UNREACHABLE]) {
      expect(decide(look(running, rest, log(ends(first) + success)), running, NOW).kind).toBe('wait');
    }
  });
});

describe('a pod that is being deleted', () => {
  const leaving = (text: string, rest = UNREACHABLE, record = running) => {
    const pods = [jobManagerPod({ deleting: true }), jobManagerPod({ uid: 'next', createdAt: NOW })];
    const seen = look(record, rest, { kubernetes: kubernetes(record, { pods }), leavingLog: FLINK + text });
    return decide(seen, record, NOW).rule;
  };
  const success = `${BOOTSTRAP}Application completed SUCCESSFULLY\n`;

  it('leaves word that the application finished, where its log names a job', () => {
    expect(leaving(ends(first) + success)).toBe('finished-before-deletion');
    expect(leaving(success)).not.toBe('finished-before-deletion');
    expect(leaving(ends(first))).not.toBe('finished-before-deletion');
    expect(leaving(`${ends(first)}${BOOTSTRAP}Application FAILED\n`)).not.toBe('finished-before-deletion');
  });

  it('is not asked while its JobManager answers, or with high availability', () => {
    expect(leaving(ends(first) + success, UNREACHABLE, ha)).not.toBe('finished-before-deletion');
    const only = jobManagerPod({ deleting: true });
    const seen = look(running, answered([jobOf(running)]), {
      ...{ kubernetes: kubernetes(running, { pods: [only] }), leavingLog: FLINK + ends(first) + success },
    });
    expect(decide(seen, running, NOW).rule).not.toBe('finished-before-deletion');
  });
});

describe('System.exit()', () => {
  const rule = (record: ActiveRun, more: Partial<Observation>) => decide(look(record, UNREACHABLE, more), record, NOW);

  it.each<readonly [string, ActiveRun, number, string, string]>([
    ['0 after all jobs is a success', running, 0, ends(first), 'succeeded JobFinished'],
    ['0 before any job is a failure', running, 0, '', 'failed ApplicationFailed'],
    ['0 after a job that failed is a failure', running, 0, ends(first, 'FAILED'), 'failed ApplicationFailed'],
    ['0 after one job of two is a failure', running, 0, ends(first) + begins(second), 'failed ApplicationFailed'],
    [
      '0 after a job that a look saw finished is a success',
      noted({ jobFinished: true }),
      0,
      '',
      'succeeded JobFinished',
    ],
    [
      '0 after jobs of which one failed and was caught is a success',
      running,
      0,
      ends(first, 'FAILED') + ends(second),
      'succeeded JobFinished',
    ],
    ['1 after a job is a failure all the same', running, 1, ends(first), 'failed ApplicationFailed'],
    ['239 after a job leaves open which code it was', running, 239, ends(first), 'unknown OutcomeUnknown'],
    [
      '1 after a job that was to be canceled is a cancel',
      { ...running, cancelRequested: asked },
      1,
      ends(first, 'CANCELED'),
      'canceled JobCanceled',
    ],
    [
      '1 after jobs of which one was to be canceled is a cancel',
      { ...running, cancelRequested: asked },
      1,
      ends(first) + ends(second, 'CANCELED'),
      'canceled JobCanceled',
    ],
    [
      '1 after another end of a job that was to be canceled is a failure',
      { ...running, cancelRequested: asked },
      1,
      ends(first, 'FAILED'),
      'failed ApplicationFailed',
    ],
    [
      '1 after a job that somebody else canceled is a failure',
      running,
      1,
      ends(first, 'CANCELED'),
      'failed ApplicationFailed',
    ],
  ])('%s', (_what, record, code, text, expected) => {
    const verdict = rule(record, exited(code, DOWN + text));
    expect(verdict.rule).toBe('main-exited');
    if (verdict.kind === 'wait') throw new Error(verdict.because);
    const { state, reason, message, at, evidence } = verdict.outcome;
    expect([`${state} ${reason}`, at]).toEqual([expected, NOW]);
    if (code !== 239) expect(message).toContain(`System.exit(${code})`);
    if (state !== 'canceled') expect(evidence).toEqual([expect.stringContaining(`exit code ${code}`)]);
  });

  it('names the jobs that were', () => {
    expect(outcomeOf(running, exited(0, DOWN + ends(first)))).toMatchObject({
      ...{ jobs: [{ id: first.id, state: 'FINISHED' }], flinkState: 'FINISHED' },
    });
    expect(outcomeOf(running, exited(0, DOWN + begins(first))).jobs).toMatchObject([{ state: 'RUNNING' }]);
  });

  it('is no cause where the log names another one, or the end', () => {
    const missing = "The program's entry point class 'a.B' was not found in the jar file";
    expect(rule(running, exited(1, `${DOWN}${AT} ERROR org.apache.flink.X [] - ${missing}\n`)).rule).not.toBe(
      'main-exited',
    );
    expect(rule(running, exited(1, `${DOWN}${BOOTSTRAP}Application CANCELED\n`)).rule).not.toBe('main-exited');
    const logged = `${AT} ERROR a.Main [] - caught\njava.lang.IllegalStateException: caught\n\tat a.Main.main(Main.java:1)\n`;
    expect(rule(running, exited(1, DOWN + logged)).rule).toBe('main-exited');
  });

  it('is that of the JobManager which began the program, and was not followed by another', () => {
    const of = (record: ActiveRun, ...pods: readonly ReturnType<typeof jobManagerPod>[]) =>
      rule(record, { kubernetes: kubernetes(record, { pods }), jobManagerLog: { text: DOWN, stopped: true } }).rule;
    const ended = { state: 'terminated', reason: 'Error', exitCode: 3 } as const;
    const last = { reason: 'Error', exitCode: 3 };
    expect(of(running, jobManagerPod({ ready: false }, ended))).toBe('main-exited');
    expect(of(running, jobManagerPod({ ready: false }, { state: 'waiting', restartCount: 1, last }))).toBe(
      'main-exited',
    );
    expect(of(running, jobManagerPod({}, { restartCount: 1, last }))).toBe('main-exited');
    expect(of(running, jobManagerPod({ ready: false }, { ...ended, restartCount: 1, last }))).toBe('main-exited');
    const twice = jobManagerPod({ ready: false }, { ...ended, exitCode: 5, restartCount: 1, last });
    const seen = { kubernetes: kubernetes(running, { pods: [twice] }), jobManagerLog: { text: DOWN, stopped: true } };
    expect(outcomeOf(running, seen).message).toContain('System.exit(3)');
    expect(of(running, jobManagerPod({}, { restartCount: 2, last }))).not.toBe('main-exited');
    expect(
      of(running, jobManagerPod({ ready: false }, ended), jobManagerPod({ uid: 'next', createdAt: NOW })),
    ).not.toBe('main-exited');
    expect(of(running, jobManagerPod({ uid: 'other', ready: false }, ended))).not.toBe('main-exited');
    expect(of(running)).not.toBe('main-exited');
    const worker = jobManagerPod({ component: 'taskmanager', uid: 't' });
    expect(of(running, worker, jobManagerPod({ ready: false }, ended))).toBe('main-exited');
    // With high availability the last one went on with the program.
    expect(of(ha, jobManagerPod({ uid: 'next', ready: false }, ended))).toBe('main-exited');
    const second = noted({ jobManager: { podUid: 'jm', restartCount: 1 } });
    expect(of(second, jobManagerPod({ ready: false }, { ...ended, restartCount: 1 }))).toBe('main-exited');
  });
});
