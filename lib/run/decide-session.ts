import type { Duration, Instant } from '../core/clock.ts';
import { findFailure } from '../cluster/findings.ts';
import { requireAttempt } from './machine.ts';
import { jobOutcome, outcomeFromLastWords } from './job-outcome.ts';
import type { Observation } from './observation.ts';
import { overdue } from './overdue.ts';
import type { Reason } from '../core/reasons.ts';
import type { RunRecord } from './record.ts';
import { forgottenEnd } from './restarts.ts';
import { failure, isReplaced, jobManagerIdentity, outcomeOf, situation, type Case, type Verdict } from './verdict.ts';

/** How long a job may take to follow a request to cancel before the run ends without it; its clean-up goes on asking. */
const CANCEL_GRACE: Duration = 30_000;
/** How long the JobManager that took a job, or one that recovers it, may take to show it. */
const APPEARS: Duration = 10_000;
const RECOVERY: Duration = 2 * 60_000;

/**
 * Judges one observation of a job in a session. The session is not the run's: only what Flink says of the job, and what
 * took the session from it, is an outcome. Trouble of other jobs and of TaskManagers is the session's own.
 */
export function decideSession(seen: Observation, record: RunRecord, now: Instant): Verdict {
  const attempt = requireAttempt(record);
  const jobs = seen.rest.state === 'answered' ? seen.rest.facts.jobs : [];
  const job = jobs.find(({ id }) => id === attempt.jobId);
  const found = findFailure(seen.kubernetes, now);
  const finding = found?.component === 'taskmanager' && attempt.runningAt !== undefined ? undefined : found;
  const it: Case = { record, attempt, seen, now, job, finding, logged: undefined };
  for (const rule of RULES) {
    const verdict = rule(it);
    if (verdict !== undefined) return verdict;
  }
  return stillGoing(it);
}

/** The first that has a verdict is right. */
const RULES: readonly ((it: Case) => Verdict | undefined)[] = [
  starved,
  terminalJob,
  forgottenEnd,
  canceledBefore,
  sessionGone,
  replacedJobManager,
  sessionNeverStarts,
  canceled,
  lostJob,
  noSlots,
  unseen,
  overdue,
];

const NO_RESOURCE = /\bNoResourceAvailableException\b/;

/** Flink gives a job up that gets no slots for `slot.request.timeout`. */
function starved(it: Case): Verdict | undefined {
  const root = it.seen.rest.state === 'answered' ? it.seen.rest.result?.rootException : undefined;
  if (it.job?.state !== 'FAILED' || root === undefined || !NO_RESOURCE.test(root.stackTrace)) return undefined;
  const said = failure(it, 'SlotsUnavailable', `The session gave the job no slots: ${slots(it)}`, [
    `GET /jobs/${it.job.id}: state FAILED`,
  ]);
  if (said.kind !== 'failed') return said;
  const outcome = { ...said.outcome, rootException: root.message, stackTrace: root.stackTrace, flinkState: 'FAILED' };
  return { ...said, outcome };
}

function slots({ seen }: Case): string {
  if (seen.rest.state === 'silent') return seen.rest.error;
  const { slotsAvailable, slotsTotal, taskManagers } = seen.rest.facts;
  return `it has ${slotsAvailable} free slots of ${slotsTotal} on ${taskManagers} TaskManagers`;
}

function terminalJob({ job, seen, now, attempt, record }: Case): Verdict | undefined {
  if (job === undefined) return undefined;
  const result = seen.rest.state === 'answered' ? seen.rest.result : undefined;
  const terminal = jobOutcome(job, { result, finding: undefined, log: '' }, now);
  if (terminal === undefined) return undefined;
  const asked = terminal.state === 'canceled' ? record.cancelRequested : undefined;
  const by = asked === undefined ? {} : { reason: asked.reason, message: `The job was canceled by ${asked.by}` };
  const running = attempt.runningAt === undefined ? { running: { at: job.startTime } } : {};
  return { kind: 'ended', outcome: { ...terminal, ...by }, ...running };
}

function canceledBefore(it: Case): Verdict | undefined {
  const asked = it.record.cancelRequested;
  if (asked === undefined || it.attempt.submission !== undefined) return undefined;
  return { kind: 'ended', outcome: cancelOutcome(it, 'it had not been submitted') };
}

function sessionGone(it: Case): Verdict | undefined {
  const { deployment } = it.seen.kubernetes;
  const { clusterId, deploymentUid: uid, submission } = it.attempt;
  const present = deployment.state === 'present' && !deployment.deleting;
  if (present && (uid === undefined || deployment.uid === uid)) return undefined;
  if (it.record.cancelRequested !== undefined)
    return { kind: 'ended', outcome: cancelOutcome(it, 'its session is gone') };
  const how = present ? 'was replaced by another one' : 'was deleted';
  const reason = submission === undefined && uid === undefined ? 'SessionNotFound' : 'ClusterDeleted';
  return lostWithSession(it, reason, `The session ${clusterId} ${how}`);
}

/** Jobs of a session live in its JobManager, unless high availability keeps them. */
function replacedJobManager(it: Case): Verdict | undefined {
  const { jobManager: first, submission } = it.attempt;
  if (first === undefined || submission === undefined || submission.highAvailability) return undefined;
  const now = jobManagerIdentity(it.seen);
  if (now === undefined || !isReplaced(it.attempt, it.seen.kubernetes)) return undefined;
  const how = now.podUid === first.podUid ? 'restarted' : 'was replaced by another pod';
  const log = it.seen.jobManagerLog;
  const once = now.podUid === first.podUid && now.restartCount === first.restartCount + 1;
  const said = once && log?.stopped === true ? outcomeFromLastWords(log.text, it.attempt.jobId, it.now) : undefined;
  if (said !== undefined) return { kind: 'ended', outcome: said };
  return lostWithSession(it, 'JobLost', `The session's JobManager ${how}, and its jobs are gone with it`);
}

/** main() may have run, and the job after it: only one that cannot end by itself is known not to have finished. */
function lostWithSession(it: Case, reason: Reason, message: string): Verdict {
  if (it.attempt.submission === undefined || it.record.job?.kind === 'streaming')
    return failure(it, reason, message, []);
  const unknown = `${message}; whether the job had finished before is not known`;
  return { kind: 'ended', outcome: outcomeOf('unknown', reason, unknown, it.now, []) };
}

/** What keeps the JobManager itself from starting; one that has crashed is started again. */
function sessionNeverStarts(it: Case): Verdict | undefined {
  const { finding, attempt } = it;
  if (attempt.submission !== undefined || finding?.certainty !== 'final' || finding.component !== 'jobmanager')
    return undefined;
  if (finding.reason === 'JobManagerCrashed') return undefined;
  return failure(it, finding.reason, `The session does not start: ${finding.message}`, finding.evidence);
}

function canceled(it: Case): Verdict | undefined {
  const asked = it.record.cancelRequested;
  if (asked === undefined || it.now - asked.at < CANCEL_GRACE) return undefined;
  return { kind: 'ended', outcome: cancelOutcome(it, 'it did not stop in time, and is asked again until it does') };
}

function cancelOutcome({ record, now }: Case, how: string): ReturnType<typeof outcomeOf> {
  const { by = 'request', reason = 'JobCanceled' as const } = record.cancelRequested ?? {};
  return outcomeOf('canceled', reason, `Canceled by ${by}: ${how}`, now, []);
}

/** The JobManager took the job, or another one may have, answers, and does not have it. */
function lostJob(it: Case): Verdict | undefined {
  const { submission, runningAt } = it.attempt;
  if (it.seen.rest.state !== 'answered' || it.job !== undefined || submission === undefined) return undefined;
  // High availability brings a job back that goes on; what has ended may be forgotten.
  const mayHaveEnded = isReplaced(it.attempt, it.seen.kubernetes) && it.record.job?.kind !== 'streaming';
  if (submission.answeredAt === undefined && !mayHaveEnded) return undefined;
  const since = it.record.unreachableSince ?? Math.max(submission.answeredAt ?? submission.at, runningAt ?? 0);
  if (it.now - since < (submission.highAvailability ? RECOVERY : APPEARS)) return undefined;
  return lostWithSession(it, 'JobLost', 'The session answers and no longer knows the job');
}

/** The deadline of a job that is there and has no task: it waits for slots. */
function noSlots(it: Case): Verdict | undefined {
  const start = it.record.job?.deadlines.start;
  if (it.job === undefined || it.attempt.runningAt !== undefined || start === undefined) return undefined;
  if (it.now - it.attempt.launchedAt < start) return undefined;
  const message = `No task of the job ran within the ${Math.round(start / 1000)} s of deadlines.start: ${slots(it)}`;
  return failure(it, 'SlotsUnavailable', message, it.finding?.evidence ?? []);
}

/** The deadline of a job that was submitted and was never seen: it may have come and gone between two looks. */
function unseen(it: Case): Verdict | undefined {
  const { submission, runningAt, launchedAt } = it.attempt;
  const start = it.record.job?.deadlines.start;
  if (submission === undefined || runningAt !== undefined || it.job !== undefined || start === undefined)
    return undefined;
  if (it.now - launchedAt < start) return undefined;
  const message = `The job was submitted, and not seen within the ${Math.round(start / 1000)} s of deadlines.start`;
  return lostWithSession(it, 'StartDeadlineExceeded', `${message}: ${situation(it)}`);
}

function stillGoing(it: Case): Verdict {
  const { job, attempt, seen } = it;
  const silent = seen.rest.state === 'silent' || job === undefined;
  const because =
    job === undefined || attempt.runningAt !== undefined ? situation(it) : `job is ${job.state}: ${slots(it)}`;
  const base = { kind: 'wait', because, silent } as const;
  const tasks = (job?.tasks['RUNNING'] ?? 0) + (job?.tasks['FINISHED'] ?? 0);
  if (attempt.runningAt !== undefined || job?.state !== 'RUNNING' || tasks === 0) return base;
  return { ...base, running: { at: job.startTime } };
}
