import type { Clock, Duration } from '../../core/clock.ts';
import type { JobManager, JobResult, JobSummary } from '../../flink/job-manager.ts';
import { agreesWith } from '../../flink/job-result.ts';

/** Flink answers about a job from what it had of it up to three seconds ago (`web.refresh-interval`). */
const REFRESHES: Duration = 3_500;
const BETWEEN_TRIES: Duration = 500;

/**
 * What a JobManager says of a job that has ended. What it had of the job before its end, which lacks the exception and the
 * accumulators, is asked again. The verdict stands without an answer.
 */
export async function readResult(
  jobManager: Pick<JobManager, 'result'>,
  job: JobSummary,
  clock: Clock,
): Promise<JobResult> {
  const until = clock.now() + REFRESHES;
  for (;;) {
    const result = await jobManager.result(job.id).catch((): JobResult => ({ answers: {} }));
    if (agreesWith(job, result) || clock.now() >= until) return result;
    await clock.sleep(BETWEEN_TRIES);
  }
}
