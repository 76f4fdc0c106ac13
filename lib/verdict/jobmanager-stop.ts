import { readLog } from '../diagnosis/flink-log/read-log.ts';
import { mainContainer } from '../kubernetes/cluster/containers.ts';
import { findingFact, loggedFact } from './facts.ts';
import { hasHighAvailability, startsSoFar } from './jobmanager-replacement.ts';
import { lastWords } from './application/last-words.ts';
import { isTriedAgain } from '../run/remedy.ts';
import type { Rule } from './rule.ts';
import {
  failure,
  hasStarted,
  jobManagerRuns,
  lost,
  tellsOfItsJob,
  type DecisionInput,
  type Verdict,
} from './verdict.ts';

/** Exit code of a process that was ended by SIGKILL. */
const SIGKILLED = 128 + 9;

/** The first exit is the verdict: a JobManager that restarts runs main() again, with all its side effects. */
export const jobManagerStopped: Rule = {
  name: 'jobmanager-stopped',
  description: "The JobManager stopped for good: its log has the job's end, or the cause, or nobody knows the outcome",
  facts: (input) => `${findingFact(input)}; ${loggedFact(input)}`,
  judge: stoppedJobManager,
};

function stoppedJobManager(input: DecisionInput): Verdict | undefined {
  const { finding, logged } = input;
  if (recoversItsJob(input) || finding?.component !== 'jobmanager' || finding.certainty !== 'final') return undefined;
  const said = lastWords(input);
  if (said !== undefined) return said;
  if (mayHaveEnded(input)) {
    return lost(input, finding.reason, finding.message, finding.evidence);
  }
  if (finding.reason !== 'JobManagerCrashed' || logged === undefined) return undefined;
  if (logged.reason === 'JobManagerCrashed' && wasKilled(input)) return undefined;
  return failure(input, logged.reason, logged.message, [...finding.evidence, ...logged.evidence], logged.rootException);
}

/** A job that was seen, or one that began and ended between two looks, of which no log can tell. */
function mayHaveEnded(input: DecisionInput): boolean {
  const { attempt, logged, observation, record } = input;
  if (!hasStarted(input) || (tellsOfItsJob(input) && isLogOfAll(input))) return false;
  if (attempt.runningAt !== undefined) return true;
  // What is wrong with the request is so in every attempt; a log that names it need tell of no job.
  if (logged !== undefined && !isTriedAgain(record.job, logged.reason)) return false;
  const text = observation.jobManagerLog?.text ?? '';
  // One that never came to its logging has run no job.
  return text === '' || readLog(text).some((entry) => entry.logged);
}

/** With high availability one JobManager follows another, and the log is that of the last one which stopped. */
function isLogOfAll({ record, observation }: DecisionInput): boolean {
  if (!hasHighAvailability(record)) return true;
  const stopped = startsSoFar(observation, record) - (jobManagerRuns(observation.kubernetes) ? 1 : 0);
  return stopped <= 1;
}

/** What is killed has no time to say why: an exception in its log is one that it had survived. */
function wasKilled({ observation }: DecisionInput): boolean {
  return observation.kubernetes.pods
    .filter(({ component }) => component === 'jobmanager')
    .flatMap((pod) => mainContainer(pod) ?? [])
    .some(({ exitCode, last }) => (exitCode ?? last?.exitCode) === SIGKILLED);
}

/** With high availability Flink itself takes a job that ran on to the next JobManager. */
export function recoversItsJob({ record, attempt }: DecisionInput): boolean {
  return attempt.runningAt !== undefined && hasHighAvailability(record);
}
