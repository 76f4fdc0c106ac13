import type { Duration } from '../core/clock.ts';
import type { Reason } from '../core/reasons.ts';
import { stateRefused } from './application/state-refused.ts';
import { startingFor } from '../run/prepared.ts';
import { gateLimit, restUnreachable, runDeadline, startDeadline } from './deadlines.ts';
import {
  cancelFact,
  deploymentFact,
  findingFact,
  jobFact,
  jobManagerFact,
  logFact,
  startDeadlineFact,
  submissionFact,
} from './facts.ts';
import { outcomeFromLastWords } from './job-outcome.ts';
import { isEndless, looksEndless } from './kind.ts';
import { BEFORE_RUNNING, CANCEL_REQUESTED, type Condition, type Rule } from './rule.ts';
import { cancelOutcome, cancelTimeout, jobTerminal, noEndSeen, terminalStateInLog } from './shared-rules.ts';
import { slots, slotsDeadline, slotsUnavailable } from './session-slots.ts';
import {
  clusterSnapshot,
  failure,
  isReplaced,
  jobManagerIdentity,
  outcomeOf,
  situation,
  tasksRun,
  type DecisionInput,
  type Verdict,
} from './verdict.ts';

/** How long the JobManager that took a job, or one that recovers it, may take to show it. */
const APPEARS: Duration = 10_000;
const RECOVERY: Duration = 2 * 60_000;

const BEFORE_SUBMISSION: Condition = {
  text: 'before the job was submitted',
  holds: ({ attempt }) => attempt.submission === undefined,
};

const ONCE_SUBMITTED: Condition = {
  text: 'once the job was submitted',
  holds: (input) => !BEFORE_SUBMISSION.holds(input),
};

const canceledBeforeSubmission: Rule = {
  name: 'canceled-before-submission',
  description: 'The run was asked to stop before its job was submitted: it ends as canceled',
  when: CANCEL_REQUESTED,
  facts: (input) => `${cancelFact(input)}; ${submissionFact(input)}`,
  judge(input) {
    if (input.attempt.submission !== undefined) return undefined;
    return { kind: 'ended', outcome: cancelOutcome(input, 'it had not been submitted') };
  },
};

const sessionDeleted: Rule = {
  name: 'session-deleted',
  description:
    "The session's Deployment is gone, being deleted, or another one: the job is lost, or was canceled with it",
  facts: deploymentFact,
  judge: sessionGone,
};

/** Jobs of a session live in its JobManager, unless high availability keeps them. */
const jobManagerReplaced: Rule = {
  name: 'jobmanager-replaced',
  description: 'Another JobManager runs than the one that had the job, and nothing recovers the job: the job is lost',
  when: {
    text: 'once the job was submitted to a session without high availability',
    holds: ({ attempt: { submission } }) => submission?.highAvailability === false,
  },
  facts: (input) => `${jobManagerFact(input)}; ${logFact(input)}`,
  judge: replacedJobManager,
};

/** What keeps the JobManager itself from starting; one that has crashed is started again. */
const sessionNotStarting: Rule = {
  name: 'session-not-starting',
  description: "Pods and events name what keeps the session's JobManager from starting: the attempt fails of it",
  when: BEFORE_SUBMISSION,
  facts: findingFact,
  judge: sessionNeverStarts,
};

/** The JobManager took the job, or another one may have, answers, and does not have it. */
const jobLost: Rule = {
  name: 'job-lost',
  description: 'The JobManager answers without a job that was submitted to it: the job is lost',
  when: ONCE_SUBMITTED,
  facts: (input) => `${jobFact(input)}; ${submissionFact(input)}`,
  judge: lostJob,
};

/** The deadline of a job that was submitted and was never seen: it may have come and gone between two looks. */
const submissionDeadline: Rule = {
  name: 'submission-deadline',
  description: 'The job was submitted, and not seen within deadlines.start: it may have ended between two looks',
  when: BEFORE_RUNNING,
  facts: (input) => `${submissionFact(input)}; ${jobFact(input)}; ${startDeadlineFact(input)}`,
  judge: unseen,
};

/**
 * Rules of a job in a session. The session is not the run's: only what Flink says of the job, and what took the session
 * from it, is an outcome. Trouble of other jobs and of TaskManagers is the session's own. The first that has a verdict
 * decides.
 */
export const SESSION_RULES: readonly Rule[] = [
  slotsUnavailable,
  jobTerminal,
  terminalStateInLog,
  canceledBeforeSubmission,
  sessionDeleted,
  jobManagerReplaced,
  sessionNotStarting,
  cancelTimeout('and is asked again until it does'),
  jobLost,
  stateRefused,
  slotsDeadline,
  submissionDeadline,
  gateLimit,
  startDeadline,
  runDeadline,
  restUnreachable,
  noEndSeen(stillGoing),
];

function sessionGone(input: DecisionInput): Verdict | undefined {
  const { deployment } = input.observation.kubernetes;
  const { clusterId, deploymentUid: uid, submission } = input.attempt;
  const present = deployment.state === 'present' && !deployment.deleting;
  if (present && (uid === undefined || deployment.uid === uid)) return undefined;
  if (input.record.cancelRequested !== undefined)
    return { kind: 'ended', outcome: cancelOutcome(input, 'its session is gone') };
  const how = present ? 'was replaced by another one' : 'was deleted';
  const reason = submission === undefined && uid === undefined ? 'SessionNotFound' : 'ClusterDeleted';
  return lostWithSession(input, reason, `The session ${clusterId} ${how}`);
}

function replacedJobManager(input: DecisionInput): Verdict | undefined {
  const { jobManager: first } = input.attempt;
  if (first === undefined) return undefined;
  const now = jobManagerIdentity(input.observation);
  if (now === undefined || !isReplaced(input.attempt, input.observation.kubernetes)) return undefined;
  const how = now.podUid === first.podUid ? 'restarted' : 'was replaced by another pod';
  const log = input.observation.jobManagerLog;
  const once = now.podUid === first.podUid && now.restartCount === first.restartCount + 1;
  const said =
    once && log?.stopped === true ? outcomeFromLastWords(log.text, input.attempt.jobId, input.now) : undefined;
  if (said !== undefined) return { kind: 'ended', outcome: said };
  return lostWithSession(input, 'JobLost', `The session's JobManager ${how}, and its jobs are gone with it`);
}

/** main() may have run, and the job after it: only one that cannot end by itself is known not to have finished. */
function lostWithSession(input: DecisionInput, reason: Reason, message: string): Verdict {
  if (input.attempt.submission === undefined || isEndless(input.record)) return failure(input, reason, message, []);
  const unknown = `${message}; whether the job had finished before is not known${looksEndless(input.record)}`;
  return { kind: 'ended', outcome: outcomeOf('unknown', reason, unknown, input.now, clusterSnapshot(input)) };
}

function sessionNeverStarts(input: DecisionInput): Verdict | undefined {
  const { finding } = input;
  if (finding?.certainty !== 'final' || finding.component !== 'jobmanager') return undefined;
  if (finding.reason === 'JobManagerCrashed' || finding.reason === 'PodEvicted') return undefined;
  return failure(input, finding.reason, `The session does not start: ${finding.message}`, finding.evidence);
}

function lostJob(input: DecisionInput): Verdict | undefined {
  const { submission, runningAt } = input.attempt;
  if (input.observation.rest.state !== 'answered' || input.job !== undefined || submission === undefined)
    return undefined;
  // High availability brings a job back that goes on; what has ended may be forgotten.
  const mayHaveEnded = isReplaced(input.attempt, input.observation.kubernetes) && !isEndless(input.record);
  if (submission.answeredAt === undefined && !mayHaveEnded) return undefined;
  const since = input.record.unreachableSince ?? Math.max(submission.answeredAt ?? submission.at, runningAt ?? 0);
  if (input.now - since < (submission.highAvailability ? RECOVERY : APPEARS)) return undefined;
  return lostWithSession(input, 'JobLost', 'The session answers and no longer knows the job');
}

function unseen(input: DecisionInput): Verdict | undefined {
  const { submission } = input.attempt;
  const start = input.record.job.deadlines.start;
  if (submission === undefined || input.job !== undefined) return undefined;
  if (startingFor(input.record, input.attempt, input.now) < start) return undefined;
  const message = `The job was submitted, and not seen within the ${Math.round(start / 1000)} s of deadlines.start`;
  return lostWithSession(input, 'StartDeadlineExceeded', `${message}: ${situation(input)}`);
}

function stillGoing(input: DecisionInput): Verdict {
  const { job, attempt } = input;
  const because =
    job === undefined || attempt.runningAt !== undefined ? situation(input) : `job is ${job.state}: ${slots(input)}`;
  const base = { kind: 'wait', because, unreachable: job === undefined } as const;
  if (attempt.runningAt !== undefined || job === undefined || !tasksRun(job)) return base;
  return { ...base, running: { at: job.startTime } };
}
