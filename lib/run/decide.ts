import type { Duration, Instant } from '../core/clock.ts';
import { findFailure } from '../cluster/findings.ts';
import type { DeploymentFacts } from '../cluster/port.ts';
import { findInLog, type LogFinding } from '../cluster/log-findings.ts';
import type { JobSummary } from '../flink/job-manager.ts';
import { decideSession } from './decide-session.ts';
import { whileGivingUp } from './giving-up.ts';
import { requireAttempt } from './machine.ts';
import type { Observation } from './observation.ts';
import { jobOutcome, applicationOutcome } from './job-outcome.ts';
import { overdue } from './overdue.ts';
import type { Outcome, RunRecord } from './record.ts';
import { forgottenEnd, hasHighAvailability, lastWords, ofFirstJobManager, replacedJobManager } from './restarts.ts';
import {
  failure,
  hasStarted,
  jobManagerIdentity,
  lost,
  outcomeOf,
  situation,
  tellsOfItsJob,
  type Case,
  type Verdict,
} from './verdict.ts';

export { outcomeOf, type Running, type Verdict } from './verdict.ts';

/** How long a job may take to follow a request to cancel before its cluster is taken from it. */
export const CANCEL_GRACE: Duration = 30_000;
/** How long a JobManager may wait for the namespace's quota to let its TaskManagers in. */
export const QUOTA_PATIENCE: Duration = 60_000;
/** Exit code of a process that was ended by SIGKILL. */
const SIGKILLED = 128 + 9;
/** How long a JobManager with high availability may take to recover its job. */
export const RECOVERY_GRACE: Duration = 2 * 60_000;

/**
 * Judges one observation of a run that is starting or running. Rules are asked in order of how much their evidence
 * proves: a terminal job first, silence last. An endpoint that does not answer is never an outcome by itself.
 */
export function decide(look: Observation, record: RunRecord, now: Instant): Verdict {
  const judge = record.job?.mode === 'session' ? decideSession : decideApplication;
  return whileGivingUp(judge(look, record, now), look, record, now);
}

function decideApplication(look: Observation, record: RunRecord, now: Instant): Verdict {
  const attempt = requireAttempt(record);
  const seen = ofFirstJobManager(look, record);
  const answered = seen.rest.state === 'answered' ? seen.rest.facts : undefined;
  const job = answered?.jobs.find((candidate) => candidate.id === attempt.jobId);
  const finding = findFailure(seen.kubernetes, now, attempt.createdAt);
  const logged = namedInLog(seen);
  const it: Case = { record, attempt, seen, now, job, finding, logged };
  return (
    replacedJobManager(it) ??
    terminalJob(it) ??
    failedApplication(it) ??
    recordedEnd(it) ??
    clusterGone(it) ??
    stoppedJobManager(it) ??
    finalFinding(it) ??
    refusedTaskManagers(it) ??
    forgottenEnd(it) ??
    canceled(it) ??
    lostJob(it) ??
    overdue(it) ??
    stillGoing(it)
  );
}

/** An exception in the log of a JobManager that goes on is not why it stopped. */
function namedInLog({ jobManagerLog: log }: Observation): LogFinding | undefined {
  const finding = log === undefined ? undefined : findInLog(log.text);
  return log?.stopped === false && finding?.reason === 'JobManagerCrashed' ? undefined : finding;
}

function terminalJob({ job, seen, finding, now, attempt, record }: Case): Verdict | undefined {
  if (job === undefined) return undefined;
  const result = seen.rest.state === 'answered' ? seen.rest.result : undefined;
  const terminal = jobOutcome(job, { result, finding, log: seen.jobManagerLog?.text ?? '' }, now);
  if (terminal === undefined) return undefined;
  const outcome = withCanceler(terminal, record);
  return { kind: 'ended', outcome, ...(attempt.runningAt === undefined ? { running: { at: job.startTime } } : {}) };
}

/** Flink knows that a job was canceled; who asked for it is on record. */
function withCanceler(outcome: Outcome, { cancelRequested: asked }: RunRecord): Outcome {
  if (outcome.state !== 'canceled' || asked === undefined) return outcome;
  return { ...outcome, reason: asked.reason, message: `The job was canceled by ${asked.by}` };
}

/** From Flink 2.3 a main() that failed is told by the applications endpoint, even without a job. */
function failedApplication({ job, seen, now }: Case): Verdict | undefined {
  if (job !== undefined || seen.rest.state !== 'answered') return undefined;
  const outcome = applicationOutcome(seen.rest.facts.applications ?? [], seen.rest.result, now);
  return outcome === undefined ? undefined : { kind: 'ended', outcome };
}

function clusterGone(it: Case): Verdict | undefined {
  const { deployment } = it.seen.kubernetes;
  const fate = fateOf(deployment, it);
  if (fate === undefined) return undefined;
  if (it.record.cancelRequested !== undefined)
    return { kind: 'ended', outcome: cancelOutcome(it, 'its cluster is gone') };
  return lost(it, 'ClusterDeleted', `Deployment ${it.attempt.clusterId} ${fate}`);
}

function fateOf(deployment: DeploymentFacts, { record, attempt }: Case): string | undefined {
  if (deployment.state === 'absent') return 'was deleted by someone else';
  const { deploymentUid = deployment.uid } = attempt;
  if (deployment.runId !== record.runId || deployment.uid !== deploymentUid) {
    return 'was replaced by a cluster of another owner';
  }
  return deployment.deleting ? 'is being deleted by someone else' : undefined;
}

/** With high availability, too, a job that reached its end stays there. */
function recordedEnd(it: Case): Verdict | undefined {
  return hasHighAvailability(it.record) ? lastWords(it) : undefined;
}

/** The first exit is the verdict: a JobManager that restarts runs main() again, with all its side effects. */
function stoppedJobManager(it: Case): Verdict | undefined {
  const { finding, logged } = it;
  if (recoversItsJob(it) || finding?.component !== 'jobmanager' || finding.certainty !== 'final') return undefined;
  const said = lastWords(it);
  if (said !== undefined) return said;
  const mayHaveEnded =
    it.attempt.runningAt === undefined
      ? hasStarted(it) && (it.seen.jobManagerLog?.text ?? '') === ''
      : !tellsOfItsJob(it);
  if (mayHaveEnded) {
    return lost(it, finding.reason, finding.message, finding.evidence);
  }
  if (finding.reason !== 'JobManagerCrashed' || logged === undefined) return undefined;
  if (logged.reason === 'JobManagerCrashed' && wasKilled(it)) return undefined;
  return failure(it, logged.reason, logged.message, [...finding.evidence, ...logged.evidence], logged.rootException);
}

/** What is killed has no time to say why: an exception in its log is one that it had survived. */
function wasKilled({ seen }: Case): boolean {
  return seen.kubernetes.pods
    .filter(({ component }) => component === 'jobmanager')
    .flatMap(({ containers }) => containers)
    .some(({ exitCode, last }) => (exitCode ?? last?.exitCode) === SIGKILLED);
}

/** With high availability Flink itself takes a job that ran on to the next JobManager. */
function recoversItsJob({ record, attempt }: Case): boolean {
  return attempt.runningAt !== undefined && hasHighAvailability(record);
}

/** What only the log of a JobManager that runs tells: it will get no TaskManager, or none that lives. */
function refusedTaskManagers(it: Case): Verdict | undefined {
  const { logged, seen, attempt } = it;
  if (logged === undefined || seen.jobManagerLog?.stopped !== false || attempt.runningAt !== undefined)
    return undefined;
  return isSettled(logged, it) ? failure(it, logged.reason, logged.message, logged.evidence) : undefined;
}

function isSettled({ reason, times }: LogFinding, { attempt, now }: Case): boolean {
  switch (reason) {
    case 'ServiceAccountForbidden':
      return true;
    case 'TaskManagerOutOfMemory':
      return times > 1;
    // A JobManager that holds its place and waits for more can keep all others waiting.
    case 'QuotaExceeded':
      return now - attempt.launchedAt >= QUOTA_PATIENCE;
    default:
      return false;
  }
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
  if (asked === undefined) return undefined;
  if (!hasStarted(it)) return { kind: 'ended', outcome: cancelOutcome(it, 'its JobManager had not started') };
  if (it.now - asked.at < CANCEL_GRACE) return undefined;
  return { kind: 'ended', outcome: cancelOutcome(it, 'it did not stop in time, so its cluster is removed') };
}

/** The JobManager answers, its job had been seen, and now it has none. */
function lostJob(it: Case): Verdict | undefined {
  if (it.seen.rest.state !== 'answered' || it.job !== undefined || it.attempt.runningAt === undefined) return undefined;
  const since = it.record.unreachableSince ?? it.now;
  if (hasHighAvailability(it.record) && it.now - since < RECOVERY_GRACE) return undefined;
  return lost(it, 'JobLost', 'The JobManager answers and no longer knows the job');
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
