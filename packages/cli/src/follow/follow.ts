import { findFailure, type Finding } from '../../../../lib/diagnosis/findings.ts';
import { findInLog } from '../../../../lib/diagnosis/log-findings.ts';
import { mainContainer } from '../../../../lib/kubernetes/cluster/containers.ts';
import type { ClusterLogs, ClusterRef, Clusters, KubernetesFacts } from '../../../../lib/kubernetes/cluster/port.ts';
import type { Clock, Duration, Instant } from '../../../../lib/core/clock.ts';
import { defined } from '../../../../lib/core/defined.ts';
import { isDispatchError } from '../../../../lib/core/errors.ts';
import type {
  Applications,
  JobManager,
  JobManagerFacts,
  JobResult,
  JobSummary,
} from '../../../../lib/flink/job-manager.ts';
import { isTerminal } from '../../../../lib/flink/job-state.ts';
import { allEnded, endingOf, failedJob, withLog, type Ending, type JobEnding } from './ending.ts';

/** Flink's JobManager looks at its own job every 2 s (`client.retry-period`), and goes away after it saw the end. */
const INTERVAL: Duration = 100;
const LOOK_AT_PODS: Duration = 1_000;
const LOOK_WHILE_SILENT: Duration = 500;
/** A main() that runs one job after the other has submitted the next one by then. */
const NEXT_JOB: Duration = 5_000;
/** Between its last answer and the end of its Deployment. */
const GOING_AWAY: Duration = 1_000;

export interface FollowDeps {
  readonly jobManager: JobManager;
  readonly applications: Applications;
  readonly clusters: Pick<Clusters, 'observe'>;
  readonly logs: ClusterLogs;
  readonly clock: Clock;
  readonly interrupted: AbortSignal;
  /** Then another JobManager takes the job on after a crash. */
  readonly highAvailability: boolean;
  /** Told on every change: what the user should see. */
  readonly progress: (line: string) => void;
}

interface Seen {
  readonly jobs: Map<string, JobEnding>;
  answeredOnce: boolean;
  lastAnswer: Instant;
  lastPods: Instant;
  lastSilence: Instant;
  lastLine: string;
  log: string;
}

/** Follows an application cluster until its application has ended. Nothing of the cluster is changed. */
export async function follow(ref: ClusterRef, deps: FollowDeps): Promise<Ending> {
  const now = deps.clock.now();
  const seen: Seen = {
    jobs: new Map(),
    answeredOnce: false,
    lastAnswer: now,
    lastPods: 0,
    lastSilence: 0,
    lastLine: '',
    log: '',
  };
  for (;;) {
    if (deps.interrupted.aborted) return { state: 'INTERRUPTED', jobs: [...seen.jobs.values()] };
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
  const ending = (await endedApplication(facts, deps, seen)) ?? lastingCluster(facts, deps, seen);
  if (ending === undefined) await troubles(ref, deps, seen);
  return ending;
}

async function answerOf({ jobManager }: FollowDeps): Promise<JobManagerFacts | undefined> {
  try {
    return await jobManager.overview();
  } catch (error) {
    if (isDispatchError(error) && error.retryable) return undefined;
    throw error;
  }
}

/** The result is read in the moment of the end: Flink's JobManager may be gone at the next look. */
async function readJobs(facts: JobManagerFacts, deps: FollowDeps, seen: Seen): Promise<void> {
  for (const job of facts.jobs) {
    const known = seen.jobs.get(job.id);
    if (known?.result !== undefined) continue;
    const result = isTerminal(job.state) ? await resultOf(deps, job.id) : undefined;
    seen.jobs.set(job.id, { job, ...defined({ result }) });
  }
  say(deps, seen, situation(facts));
}

async function resultOf({ jobManager }: FollowDeps, jobId: string): Promise<JobResult | undefined> {
  return jobManager.result(jobId).catch(() => undefined);
}

/** From Flink 2.3 the JobManager says when main() has ended. */
async function endedApplication(facts: JobManagerFacts, deps: FollowDeps, seen: Seen): Promise<Ending | undefined> {
  const [application] = facts.applications ?? [];
  if (application === undefined) return undefined;
  const jobs = [...seen.jobs.values()];
  if (application.status === 'FINISHED' || application.status === 'CANCELED')
    return { state: application.status, jobs };
  if (application.status !== 'FAILED') return undefined;
  const failed = failedJob(jobs);
  if (failed !== undefined) return failed;
  const exception = await deps.applications.exception(application.id).catch(() => undefined);
  return {
    state: 'FAILED',
    jobs,
    reason: 'ApplicationFailed',
    message: exception?.message ?? 'main() failed; the log has the reason',
    ...(exception !== undefined && { stackTrace: exception.stackTrace }),
  };
}

/** A cluster that stays after its jobs (`execution.shutdown-on-application-finish: false`) before Flink 2.3. */
function lastingCluster(facts: JobManagerFacts, deps: FollowDeps, seen: Seen): Ending | undefined {
  const jobs = [...seen.jobs.values()];
  if (facts.applications !== undefined || !allEnded(jobs)) return undefined;
  const lastEnd = Math.max(...jobs.map(({ job }) => job.endTime));
  const ending = endingOf(jobs);
  if (ending.state !== 'FAILED' && deps.clock.now() - lastEnd < NEXT_JOB) return undefined;
  return ending;
}

/** Flink itself decides whether a job survives its TaskManagers: what is wrong with them is only shown. */
async function troubles(ref: ClusterRef, deps: FollowDeps, seen: Seen): Promise<void> {
  if (deps.clock.now() - seen.lastPods < LOOK_AT_PODS) return;
  seen.lastPods = deps.clock.now();
  const finding = findFailure(await deps.clusters.observe(ref), deps.clock.now());
  if (finding?.component === 'taskmanager') say(deps, seen, `${finding.reason}: ${finding.message}`);
}

/** No answer: before the first one it starts or cannot; after it the cluster may be going away, as it should. */
async function withoutAnswer(ref: ClusterRef, deps: FollowDeps, seen: Seen): Promise<Ending | undefined> {
  const now = deps.clock.now();
  // a JobManager that is going away is looked at at once: its log goes with it
  if (now - seen.lastSilence < LOOK_WHILE_SILENT && seen.lastSilence > seen.lastAnswer) return undefined;
  seen.lastSilence = now;
  const facts = await deps.clusters.observe(ref);
  const leaves = facts.deployment.state === 'absent' || facts.deployment.deleting;
  await readLog({ ref, facts, leaves }, deps, seen);
  const ended = now - seen.lastAnswer > GOING_AWAY && allEnded([...seen.jobs.values()]);
  if (leaves || ended) return gone(deps, seen);
  const finding = findFailure(facts, now);
  const restarts = finding?.reason === 'JobManagerCrashed' || finding?.reason === 'PodEvicted';
  const recovers = deps.highAvailability && seen.jobs.size > 0 && restarts;
  if (finding?.certainty === 'final' && !recovers) return failedStart(finding, seen);
  say(deps, seen, finding === undefined ? startSituation(facts, seen) : `${finding.reason}: ${finding.message}`);
  return undefined;
}

interface Silence {
  readonly ref: ClusterRef;
  readonly facts: KubernetesFacts;
  readonly leaves: boolean;
}

/** Of a JobManager that has answered before, has ended, or is leaving: what it wrote last is all that is left of it. */
async function readLog({ ref, facts, leaves }: Silence, deps: FollowDeps, seen: Seen): Promise<void> {
  const pod = facts.pods.find(({ component }) => component === 'jobmanager');
  const container = mainContainer(pod);
  if (pod === undefined || container === undefined) return;
  const previous = container.state !== 'terminated' && container.restartCount > 0;
  if (!seen.answeredOnce && !leaves && !previous && container.state !== 'terminated') return;
  const options = { container: container.name, bytes: 256 * 1024, previous };
  const tail = await deps.logs.tail(ref, pod.name, options).catch(() => undefined);
  if (tail !== undefined && tail.text !== '') seen.log = tail.text;
}

function gone(deps: FollowDeps, seen: Seen): Ending {
  const jobs = withLog([...seen.jobs.values()], seen.log);
  if (allEnded(jobs)) return endingOf(jobs);
  const words = findInLog(seen.log);
  if (words !== undefined) {
    return { state: 'FAILED', jobs, reason: words.reason, message: words.rootException ?? words.message };
  }
  const age = Math.round((deps.clock.now() - seen.lastAnswer) / 1000);
  const last = seen.answeredOnce ? `its JobManager last answered ${age} s before` : 'its JobManager never answered';
  return { state: 'UNKNOWN', jobs, message: `the cluster is gone and ${last}` };
}

function failedStart(finding: Finding, seen: Seen): Ending {
  const words = findInLog(seen.log);
  if (finding.reason !== 'JobManagerCrashed' || words === undefined) return failedBy(finding, seen);
  const message = words.rootException ?? words.message;
  return { state: 'FAILED', jobs: [...seen.jobs.values()], reason: words.reason, message, stuck: true };
}

function failedBy(finding: Finding, seen: Seen): Ending {
  return {
    state: 'FAILED',
    jobs: [...seen.jobs.values()],
    reason: finding.reason,
    message: finding.message,
    stuck: true,
  };
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

function startSituation(facts: KubernetesFacts, seen: Seen): string {
  if (seen.answeredOnce) return 'the JobManager does not answer any more';
  const pod = facts.pods.find(({ component }) => component === 'jobmanager');
  if (pod === undefined) return 'no JobManager pod yet';
  const waiting = pod.containers.find(({ state, reason }) => state === 'waiting' && reason !== undefined);
  if (waiting !== undefined) return `JobManager pod: ${waiting.reason ?? ''}`;
  return pod.ready ? 'JobManager starts' : `JobManager pod ${pod.phase}`;
}

function say(deps: FollowDeps, seen: Seen, line: string): void {
  if (line === seen.lastLine) return;
  seen.lastLine = line;
  deps.progress(line);
}
