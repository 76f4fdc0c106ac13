import type { Duration, Instant } from '../core/clock.ts';
import type { PodFacts } from '../cluster/port.ts';
import { findFailure, type Finding } from '../cluster/findings.ts';
import { findInLog, type LogFinding } from '../cluster/log-findings.ts';
import type { Reason } from '../core/reasons.ts';
import type { JobSummary } from '../flink/job-manager.ts';
import { requireAttempt } from './machine.ts';
import type { Observation } from './observation.ts';
import { jobOutcome, applicationOutcome, outcomeFromLastWords } from './job-outcome.ts';
import type { Attempt, Outcome, RunRecord } from './record.ts';

/** How long a job may take to follow a request to cancel before its cluster is taken from it. */
export const CANCEL_GRACE: Duration = 30_000;
/** How long a REST endpoint may be silent, while its pods are well, before the run's outcome is called unknown. */
export const SILENCE_LIMIT: Duration = 30 * 60_000;
/** How long a JobManager with high availability may take to recover its job. */
export const RECOVERY_GRACE: Duration = 2 * 60_000;

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

interface Case {
  readonly record: RunRecord;
  readonly attempt: Attempt;
  readonly seen: Observation;
  readonly now: Instant;
  readonly job: JobSummary | undefined;
  readonly finding: Finding | undefined;
  /** What the JobManager's log names as a cause of trouble. */
  readonly logged: LogFinding | undefined;
}

/**
 * Judges one observation of a run that is starting or running. Rules are asked in order of how much their evidence
 * proves: a terminal job first, silence last. An endpoint that does not answer is never an outcome by itself.
 */
export function decide(seen: Observation, record: RunRecord, now: Instant): Verdict {
  const attempt = requireAttempt(record);
  const answered = seen.rest.state === 'answered' ? seen.rest.facts : undefined;
  const job = answered?.jobs.find((candidate) => candidate.id === attempt.jobId);
  const finding = findFailure(seen.kubernetes, now);
  const logged = seen.jobManagerLog === undefined ? undefined : findInLog(seen.jobManagerLog.text);
  const it: Case = { record, attempt, seen, now, job, finding, logged };
  return (
    replacedJobManager(it) ??
    terminalJob(it) ??
    failedApplication(it) ??
    clusterGone(it) ??
    stoppedJobManager(it) ??
    finalFinding(it) ??
    refusedTaskManagers(it) ??
    canceled(it) ??
    lostJob(it) ??
    overdue(it) ??
    stillGoing(it)
  );
}

/** A second JobManager runs the program again: only the first one's word counts. */
function replacedJobManager(it: Case): Verdict | undefined {
  const first = it.attempt.jobManager;
  if (first === undefined || hasHighAvailability(it.record)) return undefined;
  const now = jobManagerIdentity(it.seen);
  if (now === undefined || (now.podUid === first.podUid && now.restartCount === first.restartCount)) return undefined;
  const said = lastWords(it);
  if (said !== undefined) return said;
  const how = now.podUid === first.podUid ? 'restarted' : 'was replaced by another pod';
  return lost(
    it,
    'JobLost',
    `The JobManager ${how} while its job ran, and nothing recovers the job without high availability`,
  );
}

function terminalJob({ job, seen, finding, now, attempt }: Case): Verdict | undefined {
  if (job === undefined) return undefined;
  const result = seen.rest.state === 'answered' ? seen.rest.result : undefined;
  const outcome = jobOutcome(job, result, finding, now);
  if (outcome === undefined) return undefined;
  return { kind: 'ended', outcome, ...(attempt.runningAt === undefined ? { running: { at: job.startTime } } : {}) };
}

/** From Flink 2.3 a main() that failed is told by the applications endpoint, even without a job. */
function failedApplication({ job, seen, now }: Case): Verdict | undefined {
  if (job !== undefined || seen.rest.state !== 'answered') return undefined;
  const outcome = applicationOutcome(seen.rest.facts.applications ?? [], seen.rest.result, now);
  return outcome === undefined ? undefined : { kind: 'ended', outcome };
}

function clusterGone(it: Case): Verdict | undefined {
  const { deployment } = it.seen.kubernetes;
  if (deployment.state === 'present' && deployment.runId === it.record.runId) return undefined;
  if (it.record.cancelRequested !== undefined)
    return { kind: 'ended', outcome: cancelOutcome(it, 'its cluster is gone') };
  const what =
    deployment.state === 'absent' ? 'was deleted by someone else' : 'was replaced by a cluster of another owner';
  return lost(it, 'ClusterDeleted', `Deployment ${it.attempt.clusterId} ${what}`);
}

/** The first exit is the verdict: a JobManager that restarts runs main() again, with all its side effects. */
function stoppedJobManager(it: Case): Verdict | undefined {
  const { finding, logged } = it;
  if (recoversItsJob(it) || finding?.component !== 'jobmanager' || finding.certainty !== 'final') return undefined;
  const said = lastWords(it);
  if (said !== undefined || finding.reason !== 'JobManagerCrashed' || logged === undefined) return said;
  return failure(it, logged.reason, logged.message, [...finding.evidence, ...logged.evidence], logged.rootException);
}

/** With high availability Flink itself takes a job that ran on to the next JobManager. */
function recoversItsJob({ record, attempt }: Case): boolean {
  return attempt.runningAt !== undefined && hasHighAvailability(record);
}

/** The end that a JobManager wrote down before it stopped. */
function lastWords({ seen, attempt, now }: Case): Verdict | undefined {
  if (seen.jobManagerLog?.stopped !== true) return undefined;
  const outcome = outcomeFromLastWords(seen.jobManagerLog.text, attempt.jobId, now);
  return outcome === undefined ? undefined : { kind: 'ended', outcome };
}

/** What only the log of a JobManager that runs tells: it will never get a TaskManager. */
function refusedTaskManagers(it: Case): Verdict | undefined {
  const { logged, seen, attempt } = it;
  if (seen.jobManagerLog?.stopped !== false || attempt.runningAt !== undefined) return undefined;
  if (logged?.reason !== 'ServiceAccountForbidden') return undefined;
  return failure(it, logged.reason, logged.message, logged.evidence);
}

function finalFinding(it: Case): Verdict | undefined {
  const { finding } = it;
  if (finding === undefined || finding.certainty !== 'final') return undefined;
  // Flink replaces TaskManagers of a job that runs: its own restart strategy decides whether the job survives.
  if (it.attempt.runningAt !== undefined && finding.component === 'taskmanager') return undefined;
  if (finding.component === 'jobmanager' && recoversItsJob(it)) return undefined;
  return failure(it, finding.reason, finding.message, finding.evidence);
}

function canceled(it: Case): Verdict | undefined {
  const asked = it.record.cancelRequested;
  if (asked === undefined || it.now - asked.at < CANCEL_GRACE) return undefined;
  return { kind: 'ended', outcome: cancelOutcome(it, 'it did not stop in time, so its cluster is removed') };
}

/** The JobManager answers, its job had been seen, and now it has none. */
function lostJob(it: Case): Verdict | undefined {
  if (it.seen.rest.state !== 'answered' || it.job !== undefined || it.attempt.runningAt === undefined) return undefined;
  const since = it.record.unreachableSince ?? it.now;
  if (hasHighAvailability(it.record) && it.now - since < RECOVERY_GRACE) return undefined;
  return lost(it, 'JobLost', 'The JobManager answers and no longer knows the job');
}

function overdue(it: Case): Verdict | undefined {
  const { record, attempt, now } = it;
  const cause = it.finding ?? it.logged;
  const deadlines = record.job?.deadlines;
  if (deadlines === undefined) return undefined;
  if (attempt.runningAt === undefined) {
    if (now - attempt.launchedAt < deadlines.start) return undefined;
    const seconds = Math.round(deadlines.start / 1000);
    if (cause !== undefined) {
      return failure(it, cause.reason, `${cause.message} (for the ${seconds} s of deadlines.start)`, cause.evidence);
    }
    const reason =
      it.seen.rest.state === 'silent' && jobManagerReady(it.seen) ? 'RestUnreachable' : 'StartDeadlineExceeded';
    return failure(it, reason, `The job did not run within the ${seconds} s of deadlines.start: ${situation(it)}`, []);
  }
  if (deadlines.run !== undefined && now - attempt.runningAt >= deadlines.run) {
    const message = `The job still ran after the ${Math.round(deadlines.run / 1000)} s of deadlines.run`;
    return { kind: 'ended', outcome: outcomeOf('failed', 'RunDeadlineExceeded', message, now, []) };
  }
  if (
    record.unreachableSince !== undefined &&
    it.seen.rest.state === 'silent' &&
    now - record.unreachableSince >= SILENCE_LIMIT
  ) {
    const message = `The JobManager's REST endpoint has been silent for ${Math.round(SILENCE_LIMIT / 60_000)} min while its pod is there: ${it.seen.rest.error}`;
    return { kind: 'ended', outcome: outcomeOf('unknown', 'RestUnreachable', message, now, []) };
  }
  return undefined;
}

function stillGoing(it: Case): Verdict {
  const { job, attempt, seen } = it;
  const silent = seen.rest.state === 'silent' || job === undefined;
  const base = { kind: 'wait', because: situation(it), silent } as const;
  if (attempt.runningAt !== undefined || job === undefined || !tasksRun(job)) return base;
  const jobManager = jobManagerIdentity(seen);
  return { ...base, running: { at: job.startTime, ...(jobManager === undefined ? {} : { jobManager }) } };
}

/** A job is called running when a task of it is: RUNNING alone also holds while no TaskManager ever comes. */
function tasksRun(job: JobSummary): boolean {
  const count = (state: string): number => job.tasks[state] ?? 0;
  return job.state === 'RUNNING' && count('RUNNING') + count('FINISHED') > 0;
}

function situation({ job, seen, finding }: Case): string {
  if (finding !== undefined) return finding.message;
  if (job !== undefined) return `job is ${job.state}`;
  return seen.rest.state === 'silent' ? `REST does not answer: ${seen.rest.error}` : 'the JobManager has no job yet';
}

/** A streaming job cannot have ended by itself; of any other nobody knows, once its JobManager is gone. */
function lost(it: Case, reason: Reason, message: string): Verdict {
  const neverRan = it.attempt.runningAt === undefined;
  if (neverRan || it.record.job?.kind === 'streaming') return failure(it, reason, message, []);
  return {
    kind: 'ended',
    outcome: outcomeOf('unknown', reason, `${message}; whether it had finished before is not known`, it.now, []),
  };
}

function failure(
  it: Case,
  reason: Reason,
  message: string,
  evidence: readonly string[],
  rootException?: string,
): Verdict {
  const outcome = outcomeOf('failed', reason, message, it.now, evidence);
  return { kind: 'failed', outcome: rootException === undefined ? outcome : { ...outcome, rootException } };
}

function cancelOutcome(it: Case, how: string): Outcome {
  const asked = it.record.cancelRequested;
  return outcomeOf(
    'canceled',
    asked?.reason ?? 'JobCanceled',
    `Canceled by ${asked?.by ?? 'request'}: ${how}`,
    it.now,
    [],
  );
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

function hasHighAvailability(record: RunRecord): boolean {
  const type = record.job?.options['high-availability.type'] ?? record.job?.options['high-availability'];
  return type !== undefined && type.toLowerCase() !== 'none';
}

function jobManagerPod(seen: Observation): PodFacts | undefined {
  const pods = seen.kubernetes.pods.filter((pod) => pod.component === 'jobmanager' && !pod.deleting);
  return pods.sort((a, b) => b.createdAt - a.createdAt)[0];
}

function jobManagerReady(seen: Observation): boolean {
  return jobManagerPod(seen)?.ready ?? false;
}

function jobManagerIdentity(seen: Observation): Attempt['jobManager'] {
  const pod = jobManagerPod(seen);
  const main =
    pod?.containers.find((container) => !container.init && container.name === 'flink-main-container') ??
    pod?.containers.find((c) => !c.init);
  return pod === undefined || main === undefined ? undefined : { podUid: pod.uid, restartCount: main.restartCount };
}
