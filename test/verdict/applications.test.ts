import { describe, expect, it } from 'vitest';
import type { JobSummary, RootException } from '../../lib/flink/job-manager.ts';
import { MAIN_SETTLES } from '../../lib/verdict/application/end.ts';
import { decide } from '../../lib/verdict/decide.ts';
import { without } from '../../lib/run/machine.ts';
import { MAIN_DEADLINE } from '../../lib/job/job.ts';
import type { Attempt, ActiveRun } from '../../lib/run/record.ts';
import type { Observation, RestFacts } from '../../lib/verdict/observation.ts';
import { asked, withOptions } from './any-case.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from './observations.ts';

const running = runIn('running', 60_000);
const starting = runIn('starting', 60_000);
const FLINK =
  '2026-11-21 03:00:00,000 INFO  org.apache.flink.client.ClientUtils [] - Starting program (detached: false)\n';
const DOWN = `${FLINK}2026-11-21 03:00:00,000 INFO  org.apache.flink.X [] - Shutting X down with application status UNKNOWN.\n`;
const APPLICATION =
  '2026-11-21 03:00:00,000 WARN  org.apache.flink.client.deployment.application.ApplicationDispatcherBootstrap [] - ';
const OTHER = { id: 'b'.repeat(32), name: 'second', startTime: NOW - 200, endTime: NOW - 100 };
const finished = jobOf(running, { state: 'FINISHED', endTime: NOW - 300 });
const failed = { ...finished, state: 'FAILED' as const };
const later = { ...finished, ...OTHER };
const THREW: RootException = {
  message: 'a.B: main threw',
  stackTrace: 'ProgramInvocationException\nCaused by: a.B: main threw',
};

const NOT_MAPPED = 'Failed to rollback to checkpoint/savepoint s3://state/chk-3. Cannot map checkpoint/savepoint state';
/** As Flink 1.20 and 2.3 tell it of a program whose operators have other uids. */
const STATE_REFUSED: RootException = {
  message: `java.lang.IllegalStateException: ${NOT_MAPPED} for operator a0f9`,
  stackTrace: `ProgramInvocationException\nCaused by: java.lang.IllegalStateException: ${NOT_MAPPED} for operator a0f9`,
};
const COUNTED = { id: 'a', name: 'a', status: 'FINISHED', jobs: 1 };
const HA = { 'high-availability.type': 'kubernetes' };
const REPLACED = { podUid: 'first', restartCount: 0 };
const REFUSED: RootException = {
  message: 'Job has already been submitted.',
  stackTrace: 'org.apache.flink.runtime.client.DuplicateJobSubmissionException: Job has already been submitted.',
};

const OF_JOB: RootException = {
  message: 'no luck',
  stackTrace: 'UnsuccessfulExecutionException: Application Status: FAILED\nCaused by: a.B: no luck',
};

/** An application of Flink 2.3. */
function listed(
  status: string,
  jobs: readonly JobSummary[],
  more: Partial<Extract<RestFacts, { state: 'answered' }>> = {},
): RestFacts {
  return {
    ...(answered(jobs, { applications: [{ id: 'a', name: 'a', status }] }) as Extract<
      RestFacts,
      { state: 'answered' }
    >),
    ...more,
  };
}

/** Of a Flink that lists none. */
function older(jobs: readonly JobSummary[], main?: 'running' | 'returned', askedAt?: number): RestFacts {
  const { facts } = answered(jobs) as Extract<RestFacts, { state: 'answered' }>;
  const seen = main === 'running' ? { state: main, stack: 'at a.Main.wait(Main.java:1)' } : main && { state: main };
  return {
    state: 'answered',
    facts: { ...without(facts, 'applications'), flinkVersion: '1.20.0' },
    ...(seen && { main: seen }),
    ...(askedAt !== undefined && { askedAt }),
  };
}

function noted(change: Partial<Attempt>, record: ActiveRun = running): ActiveRun {
  return { ...record, attempts: [{ ...record.attempts[0], ...change }] };
}

const log = (text: string, stopped: boolean): Partial<Observation> => ({ jobManagerLog: { text, stopped } });
const exited = (code: number, text: string): Partial<Observation> => ({
  kubernetes: kubernetes(running, {
    pods: [
      jobManagerPod(
        { ready: false },
        { state: 'terminated', reason: code === 0 ? 'Completed' : 'Error', exitCode: code },
      ),
    ],
  }),
  ...log(text, true),
});
/** The pod goes, and its Deployment has made the next one. */
const drained = (): Partial<Observation> => ({
  kubernetes: kubernetes(running, {
    pods: [jobManagerPod({ deleting: true }), jobManagerPod({ uid: 'next', createdAt: NOW })],
  }),
});
const end = (job: JobSummary): string =>
  `2026-11-21 03:00:00,000 INFO  org.apache.flink.X [] - Job ${job.name} (${job.id}) switched from state RUNNING to ${job.state}.\n`;
const runs = (job: JobSummary): string =>
  `2026-11-21 03:00:00,000 INFO  org.apache.flink.X [] - Job ${job.name} (${job.id}) switched from state CREATED to RUNNING.\n`;

type Expected = readonly [kind: string, state?: string, reason?: string, message?: RegExp];

describe('an application is judged by what main() and all its jobs did:', () => {
  it.each<readonly [string, ActiveRun, Observation, Expected]>([
    [
      'main() goes on after its job, by what Flink lists',
      running,
      look(running, listed('RUNNING', [finished])),
      ['wait'],
    ],
    ['main() goes on after its job, by its stack', running, look(running, older([finished], 'running')), ['wait']],
    ['nobody tells of main()', running, look(running, older([finished])), ['wait']],
    ['main() is on no stack, and no log tells', running, look(running, older([finished], 'returned')), ['wait']],
    [
      'main() is on no stack, and its JobManager goes on',
      noted({ mainReturnedAt: NOW - MAIN_SETTLES }),
      look(running, older([finished], 'returned')),
      ['ended', 'succeeded', 'JobFinished'],
    ],
    [
      'main() is on no stack, and its JobManager goes on, with a job that failed',
      noted({ mainReturnedAt: NOW - MAIN_SETTLES }),
      look(running, older([failed, later], 'returned')),
      ['ended', 'failed', 'JobFailed', /1 of 2 jobs finished/],
    ],
    [
      'the log tells that it succeeded',
      running,
      look(running, older([finished], 'returned'), log(`${APPLICATION}Application completed SUCCESSFULLY`, false)),
      ['ended', 'succeeded', 'JobFinished'],
    ],
    [
      'main() threw after its job had finished, and the JobManager is about to go',
      running,
      look(
        running,
        older([finished], 'returned'),
        log(`${APPLICATION}Application failed unexpectedly: \njava.lang.X: a\nCaused by: a.B: main threw`, false),
      ),
      ['ended', 'failed', 'ApplicationFailed', /main threw/],
    ],
    [
      'main() threw after its job had finished, and the JobManager is gone',
      running,
      look(
        running,
        UNREACHABLE,
        exited(
          1,
          `${FLINK}${end(finished)}${APPLICATION}Application failed unexpectedly: \njava.lang.X: a\nCaused by: a.B: main threw`,
        ),
      ),
      ['ended', 'failed', 'ApplicationFailed', /main threw/],
    ],
    [
      'main() threw after its job had finished, by what Flink lists',
      running,
      look(running, listed('FAILED', [finished], { applicationException: THREW })),
      ['ended', 'failed', 'ApplicationFailed', /main threw/],
    ],
    [
      'main() ended because Flink refused its job the state that it was to start from',
      running,
      look(running, listed('FAILED', [failed], { applicationException: STATE_REFUSED })),
      ['ended', 'failed', 'StateIncompatible', /does not take the state: Failed to rollback/],
    ],
    [
      'a failing application still cancels its jobs',
      running,
      look(running, listed('FAILED', [finished, jobOf(running, OTHER)])),
      ['wait'],
    ],
    [
      'a failure was caught, and a second job finished',
      running,
      look(running, listed('FINISHED', [failed, later])),
      ['ended', 'succeeded', 'JobFinished'],
    ],
    [
      'a failure was caught, and main() ended',
      running,
      look(running, listed('FINISHED', [failed])),
      ['ended', 'succeeded', 'JobFinished', /main\(\) went on after 1 of its 1 jobs/],
    ],
    [
      'a failure was caught, and main() threw another one',
      running,
      look(running, listed('FAILED', [failed], { applicationException: THREW })),
      ['ended', 'failed', 'ApplicationFailed', /main threw/],
    ],
    [
      'two jobs finished',
      running,
      look(running, listed('FINISHED', [finished, later])),
      ['ended', 'succeeded', 'JobFinished', /^The application finished, with 2 jobs$/],
    ],
    [
      'it has no execute(), before 2.3',
      runIn('starting', 5000),
      look(
        running,
        UNREACHABLE,
        exited(
          1,
          `${FLINK}${APPLICATION}Application failed unexpectedly: \norg.apache.flink.client.deployment.application.ApplicationExecutionException: The application contains no execute() calls.`,
        ),
      ),
      ['ended', 'failed', 'ApplicationFailed', /without running a job/],
    ],
    [
      'main() exits',
      runIn('starting', 5000),
      look(running, UNREACHABLE, exited(3, DOWN)),
      ['ended', 'failed', 'ApplicationFailed', /^main\(\) called System\.exit\(3\)$/],
    ],
    [
      'main() exits with the code of a signal',
      running,
      look(running, UNREACHABLE, exited(143, DOWN)),
      ['ended', 'failed', 'ApplicationFailed', /exit\(143\)/],
    ],
    [
      'main() exits with 0 after its job',
      running,
      look(running, UNREACHABLE, exited(0, DOWN + end(finished))),
      ['ended', 'succeeded', 'JobFinished', /exit\(0\)/],
    ],
    [
      'main() exits after its job, and Flink halts the JVM',
      running,
      look(running, UNREACHABLE, exited(239, DOWN + end(finished))),
      ['ended', 'unknown', 'OutcomeUnknown', /^The job finished, .* its code is not known/],
    ],
    [
      'main() exits while its job runs, and Flink halts the JVM',
      running,
      look(running, UNREACHABLE, exited(239, DOWN + runs(later))),
      ['ended', 'failed', 'ApplicationFailed', /its code is not known/],
    ],
    [
      'main() exits with 0 while a second job runs',
      running,
      look(running, UNREACHABLE, exited(0, DOWN + end(finished) + runs(later))),
      ['ended', 'failed', 'ApplicationFailed', /one went on/],
    ],
    [
      'the kubelet stops the JobManager',
      running,
      look(
        running,
        UNREACHABLE,
        exited(143, `${FLINK}${runs(finished)}X - RECEIVED SIGNAL 15: SIGTERM. Shutting down as requested.\n${DOWN}`),
      ),
      ['failed', 'failed', 'JobManagerCrashed'],
    ],
    [
      'the JobManager is killed',
      running,
      look(running, UNREACHABLE, exited(137, FLINK + runs(finished))),
      ['failed', 'failed', 'JobManagerCrashed'],
    ],
    [
      'the JobManager is killed when its first job has finished',
      running,
      look(running, UNREACHABLE, exited(137, FLINK + end(finished) + runs(later))),
      ['ended', 'failed', 'JobManagerCrashed', /not run again/],
    ],
    [
      'the JobManager is killed, and a look had seen a job finished',
      noted({ jobFinished: true }),
      look(running, UNREACHABLE, exited(137, FLINK + runs(later))),
      ['ended', 'failed', 'JobManagerCrashed', /not run again/],
    ],
    [
      'the JobManager is killed after its only job, and nobody knows of main()',
      running,
      look(running, UNREACHABLE, exited(137, FLINK + end(finished))),
      ['ended', 'unknown', 'OutcomeUnknown', /main\(\)/],
    ],
    [
      'a JobManager was killed, and the log is that of the next one',
      noted({ jobManager: { podUid: 'jm', restartCount: 0 } }),
      look(running, UNREACHABLE, {
        kubernetes: kubernetes(running, {
          pods: [
            jobManagerPod({ ready: false }, { state: 'terminated', reason: 'Error', exitCode: 137 }),
            jobManagerPod({ uid: 'next', createdAt: NOW }),
          ],
        }),
        ...log(DOWN, true),
      }),
      ['ended', 'unknown', 'JobLost'],
    ],
    [
      'with high availability the last of several JobManagers was killed, and nobody had looked at those before it',
      withOptions(starting, HA),
      look(starting, UNREACHABLE, {
        kubernetes: kubernetes(starting, {
          pods: [jobManagerPod({}, { restartCount: 8, last: { reason: 'Error', exitCode: 137 } })],
        }),
        ...log(FLINK + runs(finished), true),
      }),
      ['ended', 'unknown', 'JobManagerCrashed', /whether it had finished before is not known/],
    ],
    [
      'with high availability the first JobManager was killed, and its log tells of no end',
      withOptions(starting, HA),
      look(starting, UNREACHABLE, {
        kubernetes: kubernetes(starting, {
          pods: [jobManagerPod({}, { restartCount: 1, last: { reason: 'Error', exitCode: 137 } })],
        }),
        ...log(FLINK + runs(finished), true),
      }),
      ['failed', 'failed', 'JobManagerCrashed'],
    ],
    [
      'a node is drained, and the log that goes with the pod tells that it finished',
      running,
      look(running, UNREACHABLE, {
        ...drained(),
        leavingLog: `${FLINK}${end(finished)}${APPLICATION}Application completed SUCCESSFULLY`,
      }),
      ['ended', 'succeeded', 'JobFinished', /as the log of its JobManager says/],
    ],
    [
      'a node is drained, and its SIGTERM ends the application',
      running,
      look(running, UNREACHABLE, {
        ...drained(),
        leavingLog: `${FLINK}${runs(finished)}${APPLICATION}Application CANCELED`,
      }),
      ['ended', 'unknown', 'JobLost'],
    ],
    [
      'high availability begins main() again after the end, and Flink refuses its job',
      noted({ jobManager: REPLACED }, withOptions(running, HA)),
      look(running, listed('FAILED', [finished], { applicationException: REFUSED })),
      ['ended', 'succeeded', 'JobFinished'],
    ],
    [
      'high availability brings back a JobManager after the end of the application, which lists no job any more',
      noted({ jobManager: REPLACED }, withOptions(runIn('starting', 60_000), HA)),
      look(running, listed('FINISHED', [])),
      ['ended', 'succeeded', 'JobFinished'],
    ],
    [
      'a job failed, and Flink lists it no more',
      running,
      look(running, answered([], { applications: [{ id: 'a', name: 'a', status: 'FAILED', jobs: 1 }] })),
      ['ended', 'failed', 'JobFailed', /lists no more/],
    ],
    [
      'its job, which Flink counts, is not listed yet',
      runIn('starting', 60_000),
      look(running, answered([], { applications: [{ ...COUNTED, endTime: NOW - 9_999 }] })),
      ['wait'],
    ],
    [
      'its job, which Flink counts, is listed no more',
      runIn('starting', 60_000),
      look(running, answered([], { applications: [{ ...COUNTED, endTime: NOW - 10_000 }] })),
      ['ended', 'succeeded', 'JobFinished'],
    ],
    [
      'a job failed, and Flink lists its exception alone',
      running,
      look(running, listed('FAILED', [], { applicationException: OF_JOB })),
      ['ended', 'failed', 'JobFailed', /no luck/],
    ],
    [
      'high availability begins main() again, and it throws after its job',
      noted({ jobManager: REPLACED }, withOptions(running, HA)),
      look(running, listed('FAILED', [finished], { applicationException: THREW })),
      ['ended', 'failed', 'ApplicationFailed', /main threw/],
    ],
    [
      'main() hangs after its job',
      noted({ jobsEndedAt: NOW - MAIN_DEADLINE }),
      look(running, older([{ ...finished, endTime: NOW - MAIN_DEADLINE }], 'running')),
      ['ended', 'failed', 'MainDeadlineExceeded', /in a\.Main\.wait\(Main\.java:1\)/],
    ],
    [
      'a further job has come and gone since its jobs were seen to have ended',
      noted({ jobsEndedAt: NOW - MAIN_DEADLINE }),
      look(running, older([finished, later], 'running')),
      ['wait'],
    ],
    [
      'main() ran when it was asked, and the answer came after the deadline',
      noted({ jobsEndedAt: NOW - MAIN_DEADLINE }),
      look(running, older([finished], 'running', NOW - 1)),
      ['wait'],
    ],
    [
      'main() does not hang yet',
      noted({ jobsEndedAt: NOW - MAIN_DEADLINE + 1 }),
      look(running, older([finished], 'running')),
      ['wait'],
    ],
    [
      'somebody canceled its second job, and main() failed of it',
      { ...running, cancelRequested: asked },
      look(running, listed('FAILED', [finished, { ...later, state: 'CANCELED' }], { applicationException: THREW })),
      ['ended', 'canceled', 'JobCanceled'],
    ],
    [
      'a second execute() with high availability',
      withOptions(running, HA),
      look(
        running,
        listed('FAILED', [finished], {
          applicationException: {
            ...THREW,
            message: 'Cannot have more than one execute() or executeAsync() call in a single environment.',
          },
        }),
      ),
      ['ended', 'failed', 'ApplicationFailed', /more than one execute/],
    ],
  ])('%s', (_name, record, seen, [kind, state, reason, message = /./]) => {
    const verdict = decide(seen, record, NOW);
    expect(verdict).toMatchObject({ kind, ...(state === undefined ? {} : { outcome: { state, reason } }) });
    if (verdict.kind !== 'wait') expect(verdict.outcome.message).toMatch(message);
  });
});

it('the outcome lists every job, with its accumulators', () => {
  const of = (value: string) => ({ answers: {}, accumulators: { lines: value } });
  const rest = listed('FINISHED', [later, finished], { result: of('2'), results: { [finished.id]: of('1') } });
  expect(decide(look(running, rest), running, NOW)).toMatchObject({
    outcome: {
      jobs: [
        {
          id: finished.id,
          name: 'job',
          state: 'FINISHED',
          startedAt: NOW - 500,
          duration: 500,
          accumulators: { lines: '1' },
        },
        { id: OTHER.id, name: 'second', state: 'FINISHED', accumulators: { lines: '2' } },
      ],
    },
  });
  const alone = decide(look(running, listed('FINISHED', [finished], { result: of('1') })), running, NOW);
  expect(alone).toMatchObject({
    outcome: { accumulators: { lines: '1' }, jobDuration: 500, jobs: [{ id: finished.id }] },
  });
});
