import type { Instant } from '../core/clock.ts';
import type { Finding } from '../diagnosis/findings.ts';
import { tellsOfJobs } from '../diagnosis/application-log.ts';
import type { LogFinding } from '../diagnosis/log-findings.ts';
import { isMainRunning, mainContainer, roleOf } from '../kubernetes/cluster/containers.ts';
import { runOf } from '../kubernetes/cluster/owner-metadata.ts';
import type { ContainerFacts, KubernetesFacts, Owner, PodFacts } from '../kubernetes/cluster/port.ts';
import type { JobId } from '../core/ids.ts';
import type { Reason } from '../core/reasons.ts';
import { defined } from '../core/defined.ts';
import { jobsInLog } from '../diagnosis/terminal-state-log.ts';
import type { JobSummary } from '../flink/job-manager.ts';
import { currentAttempt } from '../run/machine.ts';
import { isSubmitted } from '../run/prepared.ts';
import { isEndless, looksEndless } from './kind.ts';
import type { Observation } from './observation.ts';
import type { ActiveRun, Attempt, Outcome } from '../run/record.ts';

/** What one look means. `failed` may give way to another attempt; `ended` does not. */
export type Verdict =
  | { readonly kind: 'wait'; readonly because: string; readonly running?: Running; readonly unreachable: boolean }
  | { readonly kind: 'failed'; readonly outcome: Outcome }
  | { readonly kind: 'ended'; readonly outcome: Outcome; readonly running?: Running };

/** Of an attempt that is over. */
export type Ended = Exclude<Verdict, { kind: 'wait' }>;

/** A verdict and the name of the rule that gave it; its outcome has the name too. */
export type RuledVerdict = Verdict & { readonly rule: string };

/** Proof that a job runs, or ran: the first of its application. */
export interface Running {
  readonly at: Instant;
  readonly jobId?: JobId;
  readonly jobManager?: NonNullable<Attempt['jobManager']>;
}

/** One look at one run, with what was read out of it. */
export interface DecisionInput {
  readonly record: ActiveRun;
  readonly attempt: Attempt;
  readonly observation: Observation;
  readonly now: Instant;
  /** The attempt's own jobs, as REST answers, in the order in which they began: of an application there may be several. */
  readonly jobs: readonly JobSummary[];
  /** The one of them that goes on, or that tells how they ended. */
  readonly job: JobSummary | undefined;
  readonly finding: Finding | undefined;
  /** What the JobManager's log names as a cause of trouble. */
  readonly logged: LogFinding | undefined;
}

export function situation({ job, observation, finding }: DecisionInput): string {
  if (finding !== undefined) return finding.message;
  if (job !== undefined) return `job is ${job.state}`;
  return observation.rest.state === 'unreachable'
    ? `REST does not answer: ${observation.rest.error}`
    : 'the JobManager has no job yet';
}

/** Reasons of a container that ended before its process began. */
const NEVER_RAN = /^(ContainerCannotRun|StartError)$/;

/** Pods that are named where nothing else explains a verdict. */
const MOST_PODS = 5;

/** How things stood: what a verdict rests on that no single cause explains. */
export function clusterSnapshot({ job, jobs, attempt, observation }: DecisionInput): readonly string[] {
  const { deployment, pods } = observation.kubernetes;
  const there = deployment.state === 'absent' ? 'absent' : `uid ${deployment.uid}, ${whose(deployment.owner)}`;
  const named = pods.slice(0, MOST_PODS).map(({ name, phase, ready, containers }) => {
    return `pod ${name}: ${phase}, ${ready ? 'ready' : 'not ready'}, ${restartsOf({ containers })}`;
  });
  const more = pods.length > MOST_PODS ? [`and ${pods.length - MOST_PODS} more pods`] : [];
  const asked = job === undefined ? 'no job' : jobs.map(({ id, state }) => `job ${id} ${state}`).join(', ');
  const rest = observation.rest.state === 'unreachable' ? observation.rest.error : asked;
  return [`Deployment ${attempt.clusterId}: ${there}`, ...named, ...more, `REST: ${rest}`];
}

function whose(owner: Owner | undefined): string {
  return owner?.kind === 'pool' ? `pool ${owner.pool}` : `run ${runOf(owner) ?? 'unknown'}`;
}

/** A sidecar's restarts are not those of Flink. */
function restartsOf(pod: Pick<PodFacts, 'containers'>): string {
  const others = pod.containers.filter((it) => it.restartCount > 0 && roleOf(pod, it) !== 'main');
  const named = others.map(({ name, restartCount }) => `, ${restartCount} of ${name}`);
  return `${mainContainer(pod)?.restartCount ?? 0} restarts${named.join('')}`;
}

/** Whether the attempt ever had a JobManager that started. */
export function hasStarted({ record, observation }: Pick<DecisionInput, 'record' | 'observation'>): boolean {
  const { deployment } = observation.kubernetes;
  if (currentAttempt(record).jobManager !== undefined) return true;
  if (deployment.state === 'absent' || runOf(deployment.owner) !== record.runId) return false;
  return firstJobManager(observation.kubernetes) !== undefined;
}

/** A streaming job cannot have ended by itself; of any other nobody knows, once its JobManager is gone. */
export function lost(
  input: DecisionInput,
  reason: Reason,
  message: string,
  evidence = clusterSnapshot(input),
): Verdict {
  if (isEndless(input.record)) return failure(input, reason, message, evidence);
  const unknown = `${message}; whether it had finished before is not known${looksEndless(input.record)}`;
  return { kind: 'ended', outcome: outcomeOf('unknown', reason, unknown, input.now, evidence) };
}

export function tellsOfItsJob({ observation }: DecisionInput): boolean {
  return tellsOfJobs(observation.jobManagerLog?.text ?? '');
}

export function failure(
  input: DecisionInput,
  reason: Reason,
  message: string,
  evidence: readonly string[],
  rootException?: string,
): Ended {
  const told = evidence.length === 0 ? clusterSnapshot(input) : evidence;
  const outcome = { ...outcomeOf('failed', reason, message, input.now, told), ...defined({ rootException }) };
  return notAgain({ kind: 'failed', outcome }, hasFinishedJob(input), input.record);
}

/** Another attempt would run the program from its beginning, and with it a job that has finished. */
export function notAgain(
  verdict: Extract<Verdict, { kind: 'failed' }>,
  hasFinished: boolean,
  record: ActiveRun,
): Ended {
  const isDone = hasFinished || currentAttempt(record).jobFinished === true;
  if (!isDone || isEndless(record)) return verdict;
  const { outcome } = verdict;
  const message = `${outcome.message}; a job of it had finished, so that it is not run again`;
  return { kind: 'ended', outcome: { ...outcome, message } };
}

/** The log of a session tells of the jobs of others, too. */
export function hasFinishedJob({ jobs, observation, record, attempt }: DecisionInput): boolean {
  if (jobs.some(({ state }) => state === 'FINISHED')) return true;
  const told = jobsInLog(observation.jobManagerLog?.text ?? '');
  const own = isSubmitted(record) ? told.filter(({ id }) => id === attempt.jobId) : told;
  return own.some(({ end }) => end?.state === 'FINISHED');
}

export function outcomeOf(
  state: Outcome['state'],
  reason: Reason,
  message: string,
  at: Instant,
  evidence: readonly string[],
): Outcome {
  return { state, reason, message, at, evidence };
}

function jobManagerPod({ pods: all }: KubernetesFacts): PodFacts | undefined {
  const pods = all.filter((pod) => pod.component === 'jobmanager' && !pod.deleting);
  return pods.sort((a, b) => b.createdAt - a.createdAt)[0];
}

export function jobManagerReady(observation: Observation): boolean {
  return jobManagerPod(observation.kubernetes)?.ready ?? false;
}

/** Whether there is a JobManager to ask. */
export function jobManagerRuns({ pods }: KubernetesFacts): boolean {
  return pods.some(({ component, containers }) => {
    return component === 'jobmanager' && isMainRunning({ containers });
  });
}

export function jobManagerIdentity({ kubernetes }: Pick<Observation, 'kubernetes'>): Attempt['jobManager'] {
  const pod = jobManagerPod(kubernetes);
  const main = mainContainer(pod);
  return pod === undefined || main === undefined ? undefined : { podUid: pod.uid, restartCount: main.restartCount };
}

/** Whether another JobManager than the attempt's first one is there now; false while either is not known. */
export function isReplaced({ jobManager: first }: Pick<Attempt, 'jobManager'>, kubernetes: KubernetesFacts): boolean {
  const now = jobManagerIdentity({ kubernetes });
  if (first === undefined || now === undefined) return false;
  return now.podUid !== first.podUid || now.restartCount !== first.restartCount;
}

/** Whether the attempt's first JobManager runs no more: its pod is gone or has ended, or its container is another one. */
export function isOver({ jobManager: first }: Attempt, { pods }: KubernetesFacts): boolean {
  if (first === undefined) return false;
  const pod = pods.find(({ uid }) => uid === first.podUid);
  if (pod === undefined || pod.phase === 'Failed' || pod.phase === 'Succeeded') return true;
  return mainContainer(pod)?.restartCount !== first.restartCount;
}

/**
 * The JobManager that began the program first, by whatever it and its pod have become since: those that Kubernetes started
 * after it begin the program anew. `undefined`: none has started.
 */
export function firstJobManager({ pods: all }: KubernetesFacts): Attempt['jobManager'] {
  const pods = all.filter(({ component }) => component === 'jobmanager').sort((a, b) => a.createdAt - b.createdAt);
  const first = pods.find((pod) => hasBegun(mainContainer(pod)));
  return first === undefined ? undefined : { podUid: first.uid, restartCount: 0 };
}

function hasBegun(main: ContainerFacts | undefined): boolean {
  if (main === undefined || NEVER_RAN.test(main.last?.reason ?? main.reason ?? '')) return false;
  return main.state !== 'waiting' || main.last !== undefined || main.restartCount > 0;
}

/** A job is called running when a task of it is: RUNNING alone also holds while no TaskManager ever comes. */
export function tasksRun(job: JobSummary): boolean {
  const count = (state: string): number => job.tasks[state] ?? 0;
  return job.state === 'RUNNING' && count('RUNNING') + count('FINISHED') > 0;
}
