import type { Instant } from '../core/clock.ts';
import type { Finding } from '../cluster/findings.ts';
import type { LogFinding } from '../cluster/log-findings.ts';
import type { ContainerFacts, KubernetesFacts, PodFacts } from '../cluster/port.ts';
import type { Reason } from '../core/reasons.ts';
import type { JobSummary } from '../flink/job-manager.ts';
import { requireAttempt } from './machine.ts';
import type { Observation } from './observation.ts';
import type { Attempt, Outcome, RunRecord } from './record.ts';

/** What one look means. `failed` may give way to another attempt; `ended` does not. */
export type Verdict =
  | { readonly kind: 'wait'; readonly because: string; readonly running?: Running; readonly silent: boolean }
  | { readonly kind: 'failed'; readonly outcome: Outcome }
  | { readonly kind: 'ended'; readonly outcome: Outcome; readonly running?: Running };

/** Proof that the job runs, or ran. */
export interface Running {
  readonly at: Instant;
  readonly jobManager?: NonNullable<Attempt['jobManager']>;
}

/** One look at one run, with what was read out of it. */
export interface Case {
  readonly record: RunRecord;
  readonly attempt: Attempt;
  readonly seen: Observation;
  readonly now: Instant;
  readonly job: JobSummary | undefined;
  readonly finding: Finding | undefined;
  /** What the JobManager's log names as a cause of trouble. */
  readonly logged: LogFinding | undefined;
}

export function situation({ job, seen, finding }: Case): string {
  if (finding !== undefined) return finding.message;
  if (job !== undefined) return `job is ${job.state}`;
  return seen.rest.state === 'silent' ? `REST does not answer: ${seen.rest.error}` : 'the JobManager has no job yet';
}

/** Reasons of a container that ended before its process began. */
const NEVER_RAN = /^(ContainerCannotRun|StartError)$/;

/** Pods that are named where nothing else explains a verdict. */
const MOST_PODS = 5;

/** How things stood: what a verdict rests on that no single cause explains. */
export function standing({ job, attempt, seen }: Case): readonly string[] {
  const { deployment, pods } = seen.kubernetes;
  const there =
    deployment.state === 'absent' ? 'absent' : `uid ${deployment.uid}, run ${deployment.runId ?? 'unknown'}`;
  const named = pods.slice(0, MOST_PODS).map(({ name, phase, ready, containers }) => {
    const restarts = containers.reduce((sum, { restartCount }) => sum + restartCount, 0);
    return `pod ${name}: ${phase}, ${ready ? 'ready' : 'not ready'}, ${restarts} restarts`;
  });
  const more = pods.length > MOST_PODS ? [`and ${pods.length - MOST_PODS} more pods`] : [];
  const asked = job === undefined ? `no job ${attempt.jobId}` : `job ${attempt.jobId} ${job.state}`;
  const rest = seen.rest.state === 'silent' ? seen.rest.error : asked;
  return [`Deployment ${attempt.clusterId}: ${there}`, ...named, ...more, `REST: ${rest}`];
}

/** Whether the attempt ever had a JobManager that started. */
export function hasStarted({ record, seen }: Pick<Case, 'record' | 'seen'>): boolean {
  const { deployment } = seen.kubernetes;
  if (requireAttempt(record).jobManager !== undefined) return true;
  if (deployment.state === 'absent' || deployment.runId !== record.runId) return false;
  return firstJobManager(seen.kubernetes) !== undefined;
}

/** A streaming job cannot have ended by itself; of any other nobody knows, once its JobManager is gone. */
export function lost(it: Case, reason: Reason, message: string, evidence = standing(it)): Verdict {
  // Between two looks a short job begins and ends: only a JobManager that never started has run none, and of one that is
  // gone with its cluster nobody knows.
  const neverRan = it.attempt.runningAt === undefined && !hasStarted(it) && !isGone(it);
  if (neverRan || it.record.job?.kind === 'streaming') return failure(it, reason, message, evidence);
  const unknown = `${message}; whether it had finished before is not known`;
  return { kind: 'ended', outcome: outcomeOf('unknown', reason, unknown, it.now, evidence) };
}

function isGone({ record, attempt, seen }: Case): boolean {
  const { deployment } = seen.kubernetes;
  if (deployment.state === 'absent' || deployment.deleting || deployment.runId !== record.runId) return true;
  return attempt.deploymentUid !== undefined && attempt.deploymentUid !== deployment.uid;
}

/**
 * Whether a log that tells of no end proves that there was none: it is there, and of a level at which Flink logs how a job
 * goes on.
 */
export function tellsOfItsJob({ seen }: Case): boolean {
  const text = seen.jobManagerLog?.text ?? '';
  return /\bINFO\b/.test(text) && text.includes('org.apache.flink');
}

export function failure(
  it: Case,
  reason: Reason,
  message: string,
  evidence: readonly string[],
  rootException?: string,
): Verdict {
  const outcome = outcomeOf('failed', reason, message, it.now, evidence.length === 0 ? standing(it) : evidence);
  return { kind: 'failed', outcome: rootException === undefined ? outcome : { ...outcome, rootException } };
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

export function jobManagerReady(seen: Observation): boolean {
  return jobManagerPod(seen.kubernetes)?.ready ?? false;
}

/** Whether there is a JobManager to ask. */
export function jobManagerRuns({ pods }: KubernetesFacts): boolean {
  return pods.some(({ component, containers }) => {
    return component === 'jobmanager' && containers.some(({ init, state }) => !init && state === 'running');
  });
}

function mainContainer(pod: PodFacts | undefined): ContainerFacts | undefined {
  const own = pod?.containers.filter(({ init }) => !init);
  return own?.find(({ name }) => name === 'flink-main-container') ?? own?.[0];
}

export function jobManagerIdentity({ kubernetes }: Pick<Observation, 'kubernetes'>): Attempt['jobManager'] {
  const pod = jobManagerPod(kubernetes);
  const main = mainContainer(pod);
  return pod === undefined || main === undefined ? undefined : { podUid: pod.uid, restartCount: main.restartCount };
}

/** Whether another JobManager than the attempt's first one is there now; false while either is not known. */
export function isReplaced({ jobManager: first }: Attempt, kubernetes: KubernetesFacts): boolean {
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
