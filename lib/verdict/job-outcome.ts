import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { isTerminal } from '../flink/job-state.ts';
import type { JobSummary, RootException } from '../flink/job-manager.ts';
import { MAIN_FAILED } from '../diagnosis/flink-log/exceptions.ts';
import { stateSentence, stateTroubleIn } from '../diagnosis/state-trouble.ts';
import { jobEndsInLog, type JobEnd } from '../diagnosis/terminal-state-log.ts';
import type { Outcome } from '../run/record.ts';
import { firstLine } from './facts.ts';
import { causeInTaskManagers, type EndEvidence } from './task-manager-cause.ts';

const STATES = { FINISHED: 'succeeded', FAILED: 'failed', CANCELED: 'canceled' } as const;
const REASONS = { FINISHED: 'JobFinished', FAILED: 'JobFailed', CANCELED: 'JobCanceled' } as const;

/** The outcome of a globally terminal job, in Flink's own words; `undefined` while it is not terminal. */
export function jobOutcome(job: JobSummary, told: EndEvidence, now: Instant): Outcome | undefined {
  if (!isTerminal(job.state)) return undefined;
  const { result } = told;
  const state = job.state as keyof typeof STATES;
  const named = state === 'FAILED' ? namedFailure(job, told) : undefined;
  return {
    state: STATES[state],
    reason: named?.reason ?? REASONS[state],
    message: named?.message ?? sentence(state, result?.rootException?.message),
    ...causeIf(state, result?.rootException),
    ...defined({ accumulators: result?.accumulators }),
    // Of a job that only the job result store still knows Flink tells neither.
    ...(job.endTime > 0 ? { at: job.endTime, jobDuration: job.duration } : { at: now }),
    flinkState: job.state,
    evidence: [`GET /jobs/${job.id}: state ${job.state}`, ...(named?.evidence ?? [])],
  };
}

type Named = Pick<Outcome, 'reason' | 'message' | 'evidence'>;

/** What is known of a job that failed beyond its own word. */
function namedFailure(job: JobSummary, told: EndEvidence): Named | undefined {
  const state = stateTroubleIn(told.result?.rootException?.stackTrace ?? '');
  if (state !== undefined) return { reason: state.reason, message: stateSentence(state), evidence: [] };
  const cause = causeInTaskManagers(told);
  if (cause !== undefined) return cause;
  // What main() threw because its job failed says nothing beyond the job.
  if (Object.values(job.tasks).some((count) => count > 0)) return undefined;
  const root = told.result?.rootException;
  // execution.submit-failed-job-on-application-error: a job that stands for a main() which ran none.
  if (root === undefined || !root.stackTrace.includes(MAIN_FAILED)) return undefined;
  return { reason: 'ApplicationFailed', message: `main() failed: ${firstLine(root.message)}`, evidence: [] };
}

function causeOf(root: RootException | undefined): Pick<Outcome, 'rootException' | 'stackTrace'> {
  return root === undefined ? {} : { rootException: root.message, stackTrace: root.stackTrace };
}

/** Flink tells as well what a job survived: that is no cause of its end. */
function causeIf(state: keyof typeof STATES, root: RootException | undefined): ReturnType<typeof causeOf> {
  return state === 'FINISHED' ? {} : causeOf(root);
}

function sentence(state: keyof typeof STATES, rootException: string | undefined): string {
  if (state === 'FINISHED') return 'The job finished';
  if (state === 'CANCELED') return 'The job was canceled';
  return rootException === undefined ? 'The job failed' : `The job failed: ${firstLine(rootException)}`;
}

/** The verdict that the log of a JobManager which is gone still gives. */
export function outcomeFromLastWords(log: string, jobId: string, now: Instant): Outcome | undefined {
  const end = jobEndsInLog(log).find(({ id }) => id === jobId);
  return end && outcomeOfEnd(end, now);
}

export function outcomeOfEnd({ id, state, rootException: root }: JobEnd, now: Instant): Outcome {
  return {
    state: STATES[state],
    reason: REASONS[state],
    message: `${sentence(state, root?.message)}, as the log of its JobManager says`,
    ...causeIf(state, root),
    at: now,
    flinkState: state,
    evidence: [`JobManager log: job ${id} switched to ${state}`],
  };
}
