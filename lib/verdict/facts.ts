import type { Duration, Instant } from '../core/clock.ts';
import { applicationEndInLog } from '../diagnosis/application-log.ts';
import { jobEndsInLog } from '../diagnosis/terminal-state-log.ts';
import { hasFixedJobId } from '../job/high-availability.ts';
import { describeOwner } from '../kubernetes/cluster/owner-metadata.ts';
import { firstJobManager, jobManagerIdentity, type DecisionInput } from './verdict.ts';
import { startingFor } from '../run/prepared.ts';
import { cancelOf } from '../run/stop-request.ts';

/*
 * The facts that rules look at, one sentence each, for `runs explain`.
 */

const MOST_ENDS = 10;

export function seconds(ms: Duration): string {
  return `${Math.round(ms / 1000)} s`;
}

/** What Flink says of the attempt's job. */
export function jobFact({ record, attempt, job, observation }: DecisionInput): string {
  if (observation.rest.state === 'unreachable') return `REST does not answer: ${observation.rest.error}`;
  return job === undefined
    ? `the JobManager answers and has no job${fixedId(record, attempt)}`
    : `job ${job.id} is ${job.reportedState ?? job.state}`;
}

/** Jobs of an application have ids of Flink's own. */
function fixedId({ job }: DecisionInput['record'], { jobId }: DecisionInput['attempt']): string {
  return hasFixedJobId(job) ? ` ${jobId}` : '';
}

/** What the JobManager's log says of the end of the application, and of its jobs. */
export function logFact({ record, attempt, observation }: DecisionInput): string {
  const { jobManagerLog: log } = observation;
  if (log === undefined) return 'no log of the JobManager was read';
  const of = log.stopped ? 'the log of a JobManager that stopped' : 'the log of the JobManager that runs';
  const application = applicationEndInLog(log.text);
  const own = jobEndsInLog(log.text).filter(({ id }) => !hasFixedJobId(record.job) || id === attempt.jobId);
  const ends = own.map(({ id, state }) => `job ${id} is ${state}`).slice(0, MOST_ENDS);
  const all = [...ends, ...(application === undefined ? [] : [`the application ${application.status}`])];
  return all.length === 0
    ? `${of} tells of no end of a job${fixedId(record, attempt)}`
    : `${of} tells that ${all.join(', ')}`;
}

/** The first JobManager of the attempt, and the one that is there now. */
export function jobManagerFact({ attempt, observation }: DecisionInput): string {
  const first = attempt.jobManager ?? firstJobManager(observation.kubernetes);
  return `first JobManager: ${identity(first)}; now: ${identity(jobManagerIdentity(observation))}`;
}

function identity(jobManager: ReturnType<typeof firstJobManager>): string {
  if (jobManager === undefined) return 'none';
  return `pod uid ${jobManager.podUid}, ${jobManager.restartCount} restarts`;
}

export function deploymentFact({ attempt, observation }: DecisionInput): string {
  const { deployment } = observation.kubernetes;
  const name = `Deployment ${attempt.clusterId}`;
  if (deployment.state === 'absent') return `${name} is absent`;
  const known = attempt.deploymentUid === undefined ? '' : `, the attempt's is uid ${attempt.deploymentUid}`;
  const deleting = deployment.deleting ? ', being deleted' : '';
  return `${name}: uid ${deployment.uid}${known}, of ${describeOwner(deployment.owner)}${deleting}`;
}

/** What the pods and events of Kubernetes name as a failure. */
export function findingFact({ finding }: DecisionInput): string {
  if (finding === undefined) return 'pods and events name no failure';
  const { certainty, component, reason, message } = finding;
  return `${certainty} failure of the ${component}: ${reason}: ${message}`;
}

/** What the JobManager's log names as a cause of failure. */
export function loggedFact({ logged, observation }: DecisionInput): string {
  if (observation.jobManagerLog === undefined) return 'no log of the JobManager was read';
  if (logged === undefined) return "the JobManager's log names no cause of failure";
  return `the JobManager's log names ${logged.reason}, ${logged.times} times: ${logged.message}`;
}

/** `deadlines.start 600 s: 42 s used`. */
export function deadlineFact(field: string, limit: Duration | undefined, since: Instant, now: Instant): string {
  return limit === undefined ? `${field} is not set` : `${field} ${seconds(limit)}: ${seconds(now - since)} used`;
}

export function startDeadlineFact({ record, attempt, now }: DecisionInput): string {
  return deadlineFact('deadlines.start', record.job.deadlines.start, now - startingFor(record, attempt, now), now);
}

export function cancelFact({ record, now }: DecisionInput): string {
  const asked = cancelOf(record);
  if (asked === undefined) return 'the run was not asked to stop';
  return `asked to stop by ${asked.by} ${seconds(now - asked.at)} ago`;
}

/** Where the job's submission to its session stands. */
export function submissionFact({ attempt, now }: DecisionInput): string {
  const { submission } = attempt;
  if (submission === undefined) return 'the job was not submitted';
  const { at, answeredAt } = submission;
  if (answeredAt === undefined) return `submitted ${seconds(now - at)} ago, not answered`;
  return `submitted, answered ${seconds(now - answeredAt)} ago`;
}

/** Of an exception's message. */
export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
