import { applicationEndInLog } from '../../../../lib/diagnosis/application-log.ts';
import type { Duration } from '../../../../lib/core/clock.ts';
import type { JobManagerFacts } from '../../../../lib/flink/job-manager.ts';
import type { ClusterRef } from '../../../../lib/kubernetes/cluster/port.ts';
import { MAIN_SETTLES } from '../../../../lib/verdict/application/end.ts';
import { allEnded, applicationFailed, endingOf, failedJob, type Ending } from './ending.ts';
import { jobsSeen, readLog, type FollowDeps, type Seen } from './seen.ts';

/** Where nothing tells of main(): one that runs one job after the other has submitted the next one by then. */
const NEXT_JOB: Duration = 5_000;
const READ_LOG_EVERY: Duration = 500;

/** The end of the application that its JobManager tells of. */
export async function applicationEnd(
  ref: ClusterRef,
  facts: JobManagerFacts,
  deps: FollowDeps,
  seen: Seen,
): Promise<Ending | undefined> {
  if (facts.applications !== undefined) return listedEnd(facts, deps, seen);
  // Before Flink 2.3 the JobManager does not say when main() has ended.
  if (!deps.stays || !allEnded(jobsSeen(seen))) return undefined;
  return deps.showsMain ? endOfMain(ref, deps, seen) : withoutNextJob(deps, seen);
}

async function listedEnd(facts: JobManagerFacts, deps: FollowDeps, seen: Seen): Promise<Ending | undefined> {
  const [application] = facts.applications ?? [];
  if (application === undefined) return undefined;
  const jobs = jobsSeen(seen);
  const { status } = application;
  if (status === 'FINISHED' || status === 'CANCELED') return { state: status, jobs };
  if (status !== 'FAILED') return undefined;
  const failed = failedJob(jobs);
  if (failed !== undefined) return failed;
  return applicationFailed(jobs, await deps.jobManager.exception(application.id).catch(() => undefined));
}

/** main() is on no stack any more: the log tells how it ended, or the JobManager goes on, as it does after a good end. */
async function endOfMain(ref: ClusterRef, deps: FollowDeps, seen: Seen): Promise<Ending | undefined> {
  const { jobManager, clock } = deps;
  if (seen.mainReturnedAt === undefined) {
    const main = await jobManager.mainThread().catch(() => undefined);
    if (main?.state === 'returned') seen.mainReturnedAt = clock.now();
    // A job that was submitted just before is in the next look.
    return undefined;
  }
  if (clock.now() - seen.lastLog >= READ_LOG_EVERY) {
    seen.lastLog = clock.now();
    await readLog(ref, await deps.clusters.observe(ref), deps, seen);
  }
  const end = applicationEndInLog(seen.log);
  if (end === undefined && clock.now() - seen.mainReturnedAt < MAIN_SETTLES) return undefined;
  const ending = endingOf(jobsSeen(seen));
  return end?.status === 'FAILED' && ending.state !== 'FAILED'
    ? applicationFailed(ending.jobs, end.rootException)
    : ending;
}

function withoutNextJob({ clock }: FollowDeps, seen: Seen): Ending | undefined {
  const jobs = jobsSeen(seen);
  const ending = endingOf(jobs);
  const lastEnd = Math.max(...jobs.map(({ job }) => job.endTime));
  return ending.state !== 'FAILED' && clock.now() - lastEnd < NEXT_JOB ? undefined : ending;
}
