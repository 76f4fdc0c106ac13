import { findFailure } from '../../../../lib/diagnosis/findings.ts';
import type { ClusterRef } from '../../../../lib/kubernetes/cluster/port.ts';
import type { Duration } from '../../../../lib/core/clock.ts';
import { isDispatchError } from '../../../../lib/core/errors.ts';
import type { JobManagerFacts, JobSummary } from '../../../../lib/flink/job-manager.ts';
import { applicationEnd } from './application-end.ts';
import type { Ending } from './ending.ts';
import { isSettled, readJob, SETTLES } from './results.ts';
import { jobsSeen, nothingSeen, say, type FollowDeps, type Seen } from './seen.ts';
import { withoutAnswer } from './silence.ts';

/** Flink's JobManager looks at its own job every 2 s (`client.retry-period`), and may go away after it saw the end. */
const INTERVAL: Duration = 100;
const LOOK_AT_PODS: Duration = 1_000;

/** Follows an application cluster until its application has ended. Nothing of the cluster is changed. */
export async function follow(ref: ClusterRef, deps: FollowDeps): Promise<Ending> {
  const seen = nothingSeen(deps.clock.now());
  for (;;) {
    if (deps.interrupted.aborted) return { state: 'INTERRUPTED', jobs: jobsSeen(seen) };
    const ending = await look(ref, deps, seen);
    if (ending !== undefined) return ending;
    await deps.clock.sleep(INTERVAL);
  }
}

async function look(ref: ClusterRef, deps: FollowDeps, seen: Seen): Promise<Ending | undefined> {
  const facts = await answerOf(deps);
  if (facts === undefined) return withoutAnswer(ref, deps, seen);
  seen.answeredOnce = true;
  seen.lastAnswer = deps.clock.now();
  await readJobs(facts, deps, seen);
  const ending = await applicationEnd(ref, facts, deps, seen);
  if (ending !== undefined) return settled(ending, facts, deps, seen);
  await troubles(ref, deps, seen);
  return undefined;
}

async function answerOf({ jobManager }: FollowDeps): Promise<JobManagerFacts | undefined> {
  try {
    return await jobManager.overview();
  } catch (error) {
    if (isDispatchError(error) && error.retryable) return undefined;
    throw error;
  }
}

/** The result is read in the moment of the end: a JobManager that goes by itself may be gone at the next look. */
async function readJobs(facts: JobManagerFacts, deps: FollowDeps, seen: Seen): Promise<void> {
  const read = facts.jobs.map((job) => readJob(deps.jobManager, job, seen.jobs.get(job.id)));
  for (const one of await Promise.all(read)) seen.jobs.set(one.job.id, one);
  say(deps, seen, situation(facts));
}

/** An end is told once all about its jobs is known, or cannot be had: Flink may list a job later than its application's end. */
function settled(
  ending: Ending,
  { applications = [] }: JobManagerFacts,
  { clock }: FollowDeps,
  seen: Seen,
): Ending | undefined {
  const now = clock.now();
  seen.ended = { ending, at: seen.ended?.at ?? now };
  const areListed = ending.jobs.length >= (applications[0]?.jobs ?? 0);
  return (areListed && ending.jobs.every(isSettled)) || now - seen.ended.at >= SETTLES ? ending : undefined;
}

/** Flink itself decides whether a job survives its TaskManagers: what is wrong with them is only shown. */
async function troubles(ref: ClusterRef, deps: FollowDeps, seen: Seen): Promise<void> {
  if (deps.clock.now() - seen.lastPods < LOOK_AT_PODS) return;
  seen.lastPods = deps.clock.now();
  const finding = findFailure(await deps.clusters.observe(ref), deps.clock.now());
  if (finding?.component === 'taskmanager') say(deps, seen, `${finding.reason}: ${finding.message}`);
}

function situation(facts: JobManagerFacts): string {
  if (facts.jobs.length === 0) return `JobManager ${facts.flinkVersion} answers, no job yet`;
  return facts.jobs.map(jobLine).join('; ');
}

function jobLine(job: JobSummary): string {
  const done = (job.tasks['RUNNING'] ?? 0) + (job.tasks['FINISHED'] ?? 0);
  const tasks = job.state === 'RUNNING' ? `, ${done} of ${job.tasks['TOTAL'] ?? 0} tasks` : '';
  return `job ${job.name} (${job.id}) ${job.reportedState ?? job.state}${tasks}`;
}
