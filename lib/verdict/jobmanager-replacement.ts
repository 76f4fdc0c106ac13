import { hasHighAvailability as asksForHighAvailability } from '../job/high-availability.ts';
import { currentAttempt } from '../run/machine.ts';
import { isTriedAgain } from '../run/remedy.ts';
import { jobManagerFact, logFact } from './facts.ts';
import { lastWords } from './application/last-words.ts';
import type { Observation } from './observation.ts';
import type { ActiveRun } from '../run/record.ts';
import { WITHOUT_HIGH_AVAILABILITY, type Rule } from './rule.ts';
import {
  firstJobManager,
  jobManagerIdentity,
  lost,
  clusterSnapshot,
  type DecisionInput,
  type Verdict,
} from './verdict.ts';

/** What a second JobManager answers is about a second run of the program. */
export function ofFirstJobManager(observation: Observation, record: ActiveRun): Observation {
  if (hasHighAvailability(record) || startsSoFar(observation, record) === 1) return observation;
  return { ...observation, rest: { state: 'unreachable', error: 'its JobManager is not the one that began the job' } };
}

/** Of JobManagers, as far as is known: `Infinity` for another pod than the first one. */
export function startsSoFar(observation: Observation, record: ActiveRun): number {
  const now = jobManagerIdentity(observation);
  if (now === undefined) return 1;
  const first = currentAttempt(record).jobManager ?? firstJobManager(observation.kubernetes) ?? now;
  return first.podUid === now.podUid ? 1 + now.restartCount - first.restartCount : Infinity;
}

/** A second JobManager runs the program again: only the first one's word counts. */
export const jobManagerReplaced: Rule = {
  name: 'jobmanager-replaced',
  description: 'Another JobManager runs than the one that had the job, and nothing recovers the job: the job is lost',
  when: WITHOUT_HIGH_AVAILABILITY,
  facts: (input) => `${jobManagerFact(input)}; ${logFact(input)}`,
  judge: replacedJobManager,
};

function replacedJobManager(input: DecisionInput): Verdict | undefined {
  const starts = startsSoFar(input.observation, input.record);
  if (starts === 1 || (starts === 2 && input.attempt.runningAt === undefined) || failsEachTime(input)) return undefined;
  const said = starts === 2 ? lastWords(input) : undefined;
  if (said !== undefined) return said;
  const how = starts === Infinity ? 'was replaced by another pod' : 'restarted';
  const doing = input.attempt.runningAt === undefined ? 'before its job was seen to run' : 'while its job ran';
  const message = `The JobManager ${how} ${doing}, and nothing recovers the job without high availability`;
  const { finding } = input;
  const evidence = [...clusterSnapshot(input), ...(finding === undefined ? [] : [finding.message])];
  const isEvicted = finding?.reason === 'PodEvicted' && finding.component === 'jobmanager';
  return isEvicted
    ? lost(input, finding.reason, `${message}: ${finding.message}`, evidence)
    : lost(input, 'JobLost', message, evidence);
}

/** None of its JobManagers was seen, and the last one tells what in the request keeps every one from running the job. */
function failsEachTime({ attempt, logged, record }: DecisionInput): boolean {
  return attempt.jobManager === undefined && logged !== undefined && !isTriedAgain(record.job, logged.reason);
}

export function hasHighAvailability({ job }: ActiveRun): boolean {
  return asksForHighAvailability(job.options);
}
