import { defined } from '../core/defined.ts';
import { isJobId } from '../core/ids.ts';
import { isTerminal } from '../flink/job-state.ts';
import { MOST_EVICTIONS } from '../diagnosis/findings.ts';
import { runOf } from '../kubernetes/cluster/owner-metadata.ts';
import type { Duration } from '../core/clock.ts';
import type { DeploymentFacts } from '../kubernetes/cluster/port.ts';
import type { LogFinding } from '../diagnosis/log-findings.ts';
import { gateLimit, restUnreachable, runDeadline, startDeadline } from './deadlines.ts';
import {
  cancelFact,
  deploymentFact,
  findingFact,
  jobFact,
  jobManagerFact,
  loggedFact,
  logFact,
  seconds,
} from './facts.ts';
import { applicationEnd, applicationFact, awaitsJobs } from './application/end.ts';
import { applicationOutcome } from './application/outcome.ts';
import { jobOutcome } from './job-outcome.ts';
import { haveEnded, resultOf } from './jobs.ts';
import { jobManagerStopped, recoversItsJob } from './jobmanager-stop.ts';
import { hasHighAvailability, jobManagerReplaced } from './jobmanager-replacement.ts';
import { applicationEndInLog, finishedBeforeDeletion, lastWords, mainExited } from './application/last-words.ts';
import { mainDeadline } from './application/main-deadline.ts';
import { stateRefused } from './application/state-refused.ts';
import { BEFORE_RUNNING, CANCEL_REQUESTED, ONCE_RUNNING, WITH_HIGH_AVAILABILITY, type Rule } from './rule.ts';
import { cancelOutcome, cancelTimeout, noEndSeen, withCanceler } from './shared-rules.ts';
import {
  failure,
  hasStarted,
  jobManagerIdentity,
  lost,
  situation,
  tasksRun,
  type DecisionInput,
  type Running,
  type Verdict,
} from './verdict.ts';
import { cancelOf } from '../run/stop-request.ts';

/** How long a JobManager may wait for the namespace's quota to let its TaskManagers in. */
export const QUOTA_PATIENCE: Duration = 60_000;
/** How long a JobManager with high availability may take to recover its job. */
export const RECOVERY_GRACE: Duration = 2 * 60_000;

/** The run is over when its program is: a job that ended says nothing of what main() does after it. */
const applicationEnded: Rule = {
  name: 'application-ended',
  description: 'All jobs of the application have ended, and main() has: the run has the outcome of the application',
  facts: applicationFact,
  judge: endedApplication,
};

/** With high availability, too, a job that reached its end stays there. */
const terminalStateBeforeStop: Rule = {
  name: 'terminal-state-before-stop',
  description:
    "The log of a JobManager that stopped has the job's terminal state: no other JobManager recovers the job",
  when: WITH_HIGH_AVAILABILITY,
  facts: logFact,
  judge: lastWords,
};

const clusterDeleted: Rule = {
  name: 'cluster-deleted',
  description:
    "The attempt's Deployment is gone, being deleted, or another one: the job is lost, or was canceled with it",
  facts: deploymentFact,
  judge: clusterGone,
};

const kubernetesFailure: Rule = {
  name: 'kubernetes-failure',
  description: 'Pods and events name a failure that waiting does not mend: the attempt fails of it',
  facts: findingFact,
  judge: finalFinding,
};

const taskManagersRefused: Rule = {
  name: 'taskmanagers-refused',
  description: 'The log of the JobManager that runs says that it gets no TaskManager, or none that lives',
  when: BEFORE_RUNNING,
  facts: loggedFact,
  judge: refusedTaskManagers,
};

const canceledBeforeStart: Rule = {
  name: 'canceled-before-start',
  description: 'The run was asked to stop before its JobManager had started: it ends as canceled',
  when: CANCEL_REQUESTED,
  facts: (input) => `${cancelFact(input)}; ${jobManagerFact(input)}`,
  judge(input) {
    if (hasStarted(input)) return undefined;
    return { kind: 'ended', outcome: cancelOutcome(input, 'its JobManager had not started') };
  },
};

const jobLost: Rule = {
  name: 'job-lost',
  description: 'The JobManager answers without a job that had been seen to run: the job is lost',
  when: ONCE_RUNNING,
  facts: lostFact,
  judge: lostJob,
};

/**
 * Rules of a run with a cluster of its own, in order of how much their evidence proves: a terminal job first, silence
 * last. The first that has a verdict decides.
 */
export const APPLICATION_RULES: readonly Rule[] = [
  mainExited,
  finishedBeforeDeletion,
  jobManagerReplaced,
  applicationEnded,
  terminalStateBeforeStop,
  clusterDeleted,
  jobManagerStopped,
  kubernetesFailure,
  taskManagersRefused,
  stateRefused,
  applicationEndInLog,
  canceledBeforeStart,
  cancelTimeout('so its cluster is removed'),
  jobLost,
  gateLimit,
  startDeadline,
  mainDeadline,
  runDeadline,
  restUnreachable,
  noEndSeen(stillGoing),
];

function endedApplication(input: DecisionInput): Verdict | undefined {
  const end = applicationEnd(input);
  if (end === undefined) return undefined;
  const { attempt, observation, finding, jobs, now } = input;
  const log = observation.jobManagerLog?.text ?? '';
  const outcome = applicationOutcome(input, end, (job) => {
    return jobOutcome(job, { result: resultOf(observation.rest, jobs, job.id), finding, log }, now);
  });
  const running = attempt.runningAt === undefined ? runningOf(input) : undefined;
  return { kind: 'ended', outcome: withCanceler(outcome, input), ...defined({ running }) };
}

function clusterGone(input: DecisionInput): Verdict | undefined {
  const { deployment } = input.observation.kubernetes;
  const fate = fateOf(deployment, input);
  if (fate === undefined) return undefined;
  if (cancelOf(input.record) !== undefined)
    return { kind: 'ended', outcome: cancelOutcome(input, 'its cluster is gone') };
  return lost(input, 'ClusterDeleted', `Deployment ${input.attempt.clusterId} ${fate}`);
}

function fateOf(deployment: DeploymentFacts, { record, attempt }: DecisionInput): string | undefined {
  if (deployment.state === 'absent') return 'was deleted by someone else';
  const { deploymentUid = deployment.uid } = attempt;
  if (runOf(deployment.owner) !== record.runId || deployment.uid !== deploymentUid) {
    return 'was replaced by a cluster of another owner';
  }
  return deployment.deleting ? 'is being deleted by someone else' : undefined;
}

function finalFinding(input: DecisionInput): Verdict | undefined {
  const { finding } = input;
  if (finding === undefined || finding.certainty !== 'final') return undefined;
  // Flink replaces TaskManagers of a job that runs: its own restart strategy decides whether the job survives.
  if (input.attempt.runningAt !== undefined && finding.component === 'taskmanager') return undefined;
  if (recoversItsJob(input)) return undefined;
  return failure(input, finding.reason, finding.message, finding.evidence);
}

function refusedTaskManagers(input: DecisionInput): Verdict | undefined {
  const { logged, observation } = input;
  if (logged === undefined || observation.jobManagerLog?.stopped !== false) return undefined;
  return isSettled(logged, input) ? failure(input, logged.reason, logged.message, logged.evidence) : undefined;
}

function isSettled({ reason, times }: LogFinding, { attempt, now }: DecisionInput): boolean {
  switch (reason) {
    case 'ServiceAccountForbidden':
      return true;
    case 'TaskManagerOutOfMemory':
      return times > 1;
    case 'PodEvicted':
      return times >= MOST_EVICTIONS;
    // A JobManager that holds its place and waits for more can keep all others waiting.
    case 'QuotaExceeded':
      return now - attempt.launchedAt >= QUOTA_PATIENCE;
    default:
      return false;
  }
}

function lostFact(input: DecisionInput): string {
  const { record, now } = input;
  if (!hasHighAvailability(record)) return jobFact(input);
  const waited = now - (record.unreachableSince ?? now);
  return `${jobFact(input)}; high availability may take ${seconds(RECOVERY_GRACE)}: ${seconds(waited)} used`;
}

function lostJob(input: DecisionInput): Verdict | undefined {
  if (input.observation.rest.state !== 'answered' || input.job !== undefined || awaitsJobs(input)) return undefined;
  const since = input.record.unreachableSince ?? input.now;
  if (hasHighAvailability(input.record) && input.now - since < RECOVERY_GRACE) return undefined;
  return lost(input, 'JobLost', 'The JobManager answers and no longer knows the job');
}

function stillGoing(input: DecisionInput): Verdict {
  const { job, jobs, attempt } = input;
  const because = haveEnded(jobs) ? 'its jobs have ended, and main() has not' : situation(input);
  const running = attempt.runningAt === undefined ? runningOf(input) : undefined;
  return { kind: 'wait', because, unreachable: job === undefined, ...defined({ running }) };
}

/** That a job of it runs, or has run. */
function runningOf({ jobs, observation }: DecisionInput): Running | undefined {
  const first = jobs.find((job) => tasksRun(job) || isTerminal(job.state));
  if (first === undefined) return undefined;
  const { id } = first;
  const jobManager = jobManagerIdentity(observation);
  return { at: first.startTime, ...(isJobId(id) && { jobId: id }), ...defined({ jobManager }) };
}
