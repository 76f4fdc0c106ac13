import type { Clock } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { describeError } from '../../core/errors.ts';
import type { KubernetesFacts } from '../../kubernetes/cluster/port.ts';
import { isTerminal } from '../../flink/job-state.ts';
import type {
  ApplicationManager,
  JobManager,
  JobManagerFacts,
  JobResult,
  JobSummary,
  MainThread,
  RootException,
} from '../../flink/job-manager.ts';
import { isSubmitted } from '../../run/prepared.ts';
import { endedApplication, isMainOverdue, listsApplications } from '../../verdict/application/end.ts';
import { currentJob, haveEnded, jobsOf, tellingJob } from '../../verdict/jobs.ts';
import type { RestFacts } from '../../verdict/observation.ts';
import { jobManagerRuns } from '../../verdict/verdict.ts';
import type { AttemptContext } from '../attempt-context.ts';
import { readResult } from './read-result.ts';

type Answered = Extract<RestFacts, { state: 'answered' }>;

/** Jobs of an application whose accumulators are read. */
const MOST_RESULTS = 20;

/** Asks the JobManager, where one runs, how the attempt's jobs are, and how its application ended. */
export async function askJobManager(at: AttemptContext, kubernetes: KubernetesFacts): Promise<RestFacts> {
  if (!jobManagerRuns(kubernetes)) return { state: 'unreachable', error: 'no JobManager runs' };
  try {
    return isSubmitted(at.run) ? await ofJob(at) : await ofApplication(at);
  } catch (error) {
    return { state: 'unreachable', error: describeError(error) };
  }
}

function answered(facts: JobManagerFacts): Answered {
  return { state: 'answered', facts };
}

/** What it is asked of a job once: the look stands without it. */
async function withRuntime(
  jobManager: JobManager,
  seen: Answered,
  { run, attempt }: AttemptContext,
): Promise<Answered> {
  const job = currentJob(jobsOf({ rest: seen }, run));
  if (job?.state !== 'RUNNING' || attempt.runtime?.jobId === job.id) return seen;
  const runtime = await jobManager.runtime(job.id).catch(() => undefined);
  return { ...seen, ...defined({ runtime }) };
}

/** A job that cannot take its state is begun anew for as long as its restart strategy lets it. */
async function withTrouble(
  jobManager: JobManager,
  seen: Answered,
  { run, attempt, job: { state } }: AttemptContext,
): Promise<Answered> {
  if (state === undefined || attempt.restoredFrom === undefined || attempt.runningAt !== undefined) return seen;
  const job = currentJob(jobsOf({ rest: seen }, run));
  if (job?.state !== 'RESTARTING') return seen;
  const { rootException } = await jobManager.result(job.id).catch((): Partial<JobResult> => ({}));
  return { ...seen, ...defined({ trouble: rootException }) };
}

async function ofJob(at: AttemptContext): Promise<Answered> {
  const { run, target, ref } = at;
  const jobManager = target.jobManager(ref);
  const seen = answered(await jobManager.overview());
  const job = jobsOf({ rest: seen }, run).find(({ state }) => isTerminal(state));
  return job === undefined
    ? withTrouble(jobManager, await withRuntime(jobManager, seen, at), at)
    : { ...seen, result: await readResult(jobManager, job, at.deps.clock) };
}

async function ofApplication(at: AttemptContext): Promise<Answered> {
  const jobManager = at.target.application(at.ref);
  const first = answered(await jobManager.overview());
  if (first.facts.jobs.some(({ state }) => !isTerminal(state)))
    return withTrouble(jobManager, await withRuntime(jobManager, first, at), at);
  const isOver = endedApplication(first.facts) !== undefined;
  const askedAt = at.deps.clock.now();
  const main = await mainOf(jobManager, first, at);
  const isDue = isMainOverdue(at.attempt, first.facts.jobs, at.job, askedAt);
  if (!isOver && main?.state !== 'returned' && !isDue) return { ...first, askedAt, ...defined({ main }) };
  // Only now no job can come any more: one that was submitted after the first look is in this one.
  const last = answered(await jobManager.overview());
  if (last.facts.jobs.some(({ state }) => !isTerminal(state))) return last;
  const results = await readResults(jobManager, jobsOf({ rest: last }, at.run), at.deps.clock);
  const applicationException = await whyItFailed(jobManager, last.facts);
  return { ...last, askedAt, ...defined({ main, applicationException }), ...results };
}

function isOverdue({ attempt, job, deps }: AttemptContext, { facts: { jobs } }: Answered): boolean {
  return isMainOverdue(attempt, jobs, job, deps.clock.now());
}

/** Flink lists applications from 2.3; then the stack is worth reading only of a main() that goes on for too long. */
async function mainOf(
  jobManager: ApplicationManager,
  seen: Answered,
  at: AttemptContext,
): Promise<MainThread | undefined> {
  const { facts } = seen;
  if (!haveEnded(facts.jobs) || (listsApplications(facts) && !isOverdue(at, seen))) return undefined;
  return jobManager.mainThread().catch(() => undefined);
}

async function readResults(
  jobManager: JobManager,
  jobs: readonly JobSummary[],
  clock: Clock,
): Promise<Pick<Answered, 'result' | 'results'>> {
  const telling = tellingJob(jobs);
  if (telling === undefined) return {};
  const others = jobs.filter((job) => job !== telling && isTerminal(job.state)).slice(0, MOST_RESULTS - 1);
  const [result, ...more] = await Promise.all([telling, ...others].map((job) => readResult(jobManager, job, clock)));
  const results = Object.fromEntries(others.flatMap(({ id }, index) => (more[index] ? [[id, more[index]]] : [])));
  return { ...defined({ result }), ...(others.length === 0 ? {} : { results }) };
}

async function whyItFailed(
  jobManager: ApplicationManager,
  { applications = [] }: JobManagerFacts,
): Promise<RootException | undefined> {
  const failed = applications.find(({ status }) => status === 'FAILED');
  return failed === undefined ? undefined : jobManager.exception(failed.id).catch(() => undefined);
}
