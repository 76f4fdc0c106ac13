import type { Instant } from '../core/clock.ts';
import { isTerminal } from '../flink/job-state.ts';
import type { ApplicationSummary, JobResult, JobSummary } from '../flink/job-manager.ts';
import { terminalStateInLog } from './last-words.ts';
import type { Outcome } from './record.ts';
import { causeInTaskManagers, type Told } from './task-managers.ts';

const STATES = { FINISHED: 'succeeded', FAILED: 'failed', CANCELED: 'canceled' } as const;
const REASONS = { FINISHED: 'JobFinished', FAILED: 'JobFailed', CANCELED: 'JobCanceled' } as const;

/** org.apache.flink.client.program.PackagedProgram; never in the trace of a job that ran. */
const MAIN_FAILED = 'The main method caused an error';

/** The outcome of a globally terminal job, in Flink's own words; `undefined` while it is not terminal. */
export function jobOutcome(job: JobSummary, told: Told, now: Instant): Outcome | undefined {
  if (!isTerminal(job.state)) return undefined;
  const { result } = told;
  const state = job.state as keyof typeof STATES;
  const named = state === 'FAILED' ? namedFailure(told) : undefined;
  return {
    state: STATES[state],
    reason: named?.reason ?? REASONS[state],
    message: named?.message ?? sentence(state, result?.rootException?.message),
    ...causeOf(result),
    ...(result?.accumulators === undefined ? {} : { accumulators: result.accumulators }),
    // Of a job that only the job result store still knows Flink tells neither.
    ...(job.endTime > 0 ? { at: job.endTime, jobDuration: job.duration } : { at: now }),
    flinkState: job.state,
    evidence: [`GET /jobs/${job.id}: state ${job.state}`, ...(named?.evidence ?? [])],
  };
}

type Named = Pick<Outcome, 'reason' | 'message' | 'evidence'>;

/** What is known of a job that failed beyond its own word. */
function namedFailure(told: Told): Named | undefined {
  const cause = causeInTaskManagers(told);
  if (cause !== undefined) return cause;
  const root = told.result?.rootException;
  // execution.submit-failed-job-on-application-error: a job that stands for a main() which ran none.
  if (root === undefined || !root.stackTrace.includes(MAIN_FAILED)) return undefined;
  return { reason: 'ApplicationFailed', message: `main() failed: ${firstLine(root.message)}`, evidence: [] };
}

function causeOf(result: JobResult | undefined): Pick<Outcome, 'rootException' | 'stackTrace'> {
  const root = result?.rootException;
  return root === undefined ? {} : { rootException: root.message, stackTrace: root.stackTrace };
}

function sentence(state: keyof typeof STATES, rootException: string | undefined): string {
  if (state === 'FINISHED') return 'The job finished';
  if (state === 'CANCELED') return 'The job was canceled';
  return rootException === undefined ? 'The job failed' : `The job failed: ${firstLine(rootException)}`;
}

/** An application that ended without the job that it was to run. */
export function applicationOutcome(
  applications: readonly ApplicationSummary[],
  result: JobResult | undefined,
  now: Instant,
): Outcome | undefined {
  const ended = applications.find(
    (application) => application.status === 'FAILED' || application.status === 'FINISHED',
  );
  if (ended === undefined) return undefined;
  const root = result?.rootException;
  const evidence = [`GET /applications/overview: ${ended.id} ${ended.status}`];
  if (ended.status === 'FINISHED') {
    return {
      state: 'succeeded',
      reason: 'JobFinished',
      message: 'main() returned without running a job',
      at: now,
      flinkState: ended.status,
      evidence,
    };
  }
  return {
    state: 'failed',
    reason: 'ApplicationFailed',
    message: root === undefined ? 'main() failed before a job ran' : `main() failed: ${firstLine(root.message)}`,
    ...causeOf(result),
    at: now,
    flinkState: ended.status,
    evidence,
  };
}

/** The verdict that the log of a JobManager which is gone still gives. */
export function outcomeFromLastWords(log: string, jobId: string, now: Instant): Outcome | undefined {
  const state = terminalStateInLog(log, jobId);
  if (state === undefined) return undefined;
  return {
    state: STATES[state],
    reason: REASONS[state],
    message: `${sentence(state, undefined)}, as the log of its JobManager says`,
    at: now,
    flinkState: state,
    evidence: [`JobManager log: job ${jobId} switched to ${state}`],
  };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
