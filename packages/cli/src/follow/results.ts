import type { Duration } from '../../../../lib/core/clock.ts';
import { defined } from '../../../../lib/core/defined.ts';
import type { JobManager, JobSummary } from '../../../../lib/flink/job-manager.ts';
import { agreesWith } from '../../../../lib/flink/job-result.ts';
import { isTerminal } from '../../../../lib/flink/job-state.ts';
import type { JobEnding } from './ending.ts';

/** org.apache.flink.runtime.execution.ExecutionState, of tasks that have not ended. */
const LIVE_TASKS = ['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING', 'CANCELING', 'RECONCILING'];

/** How long a JobManager may take to say the same of an end everywhere; see `isSettled`. */
export const SETTLES: Duration = 5_000;

/** What a JobManager says of a job now, over what was known of it. */
export async function readJob(
  jobManager: Pick<JobManager, 'result'>,
  job: JobSummary,
  known?: JobEnding,
): Promise<JobEnding> {
  if (known !== undefined && isSettled(known)) return known;
  const read = isTerminal(job.state) ? await jobManager.result(job.id).catch(() => undefined) : undefined;
  return { job, ...defined({ result: read ?? known?.result }) };
}

/**
 * Whether all that a JobManager has to say of the end of a job is known, and none of it contradicts the end. For three
 * seconds it may answer from what it had of the job before its end (`web.refresh-interval`).
 */
export function isSettled({ job, result }: JobEnding): boolean {
  if (!hasFinalTimes(job) || result?.accumulators === undefined) return false;
  return agreesWith(job, result);
}

/** Whether the end, the duration and the tasks of an ended job are those of its end. */
export function hasFinalTimes({ state, endTime, tasks }: JobSummary): boolean {
  return isTerminal(state) && endTime > 0 && LIVE_TASKS.every((live) => (tasks[live] ?? 0) === 0);
}

/** Of a job that was not told of to its end, what was seen before it. */
export function withoutTimes({ state, id, name, startTime }: JobSummary): Partial<JobSummary> {
  return { id, name, state, ...(startTime > 0 && { startTime }) };
}
