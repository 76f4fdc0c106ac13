import { reasonClass } from '../core/reasons.ts';
import { hasHighAvailability as asksForHighAvailability } from '../job/high-availability.ts';
import { outcomeFromLastWords } from './job-outcome.ts';
import { requireAttempt } from './machine.ts';
import type { Observation } from './observation.ts';
import type { RunRecord } from './record.ts';
import { firstJobManager, jobManagerIdentity, lost, standing, type Case, type Verdict } from './verdict.ts';

/** What a second JobManager answers is about a second run of the program. */
export function ofFirstJobManager(seen: Observation, record: RunRecord): Observation {
  if (hasHighAvailability(record) || startsSoFar(seen, record) === 1) return seen;
  return { ...seen, rest: { state: 'silent', error: 'its JobManager is not the one that began the job' } };
}

/** Of JobManagers, as far as is known: `Infinity` for another pod than the first one. */
function startsSoFar(seen: Observation, record: RunRecord): number {
  const now = jobManagerIdentity(seen);
  if (now === undefined) return 1;
  const first = requireAttempt(record).jobManager ?? firstJobManager(seen.kubernetes) ?? now;
  return first.podUid === now.podUid ? 1 + now.restartCount - first.restartCount : Infinity;
}

/** A second JobManager runs the program again: only the first one's word counts. */
export function replacedJobManager(it: Case): Verdict | undefined {
  if (hasHighAvailability(it.record)) return undefined;
  const starts = startsSoFar(it.seen, it.record);
  if (starts === 1 || (starts === 2 && it.attempt.runningAt === undefined) || failsEachTime(it)) return undefined;
  const said = starts === 2 ? lastWords(it) : undefined;
  if (said !== undefined) return said;
  const how = starts === Infinity ? 'was replaced by another pod' : 'restarted';
  const doing = it.attempt.runningAt === undefined ? 'before its job was seen to run' : 'while its job ran';
  const message = `The JobManager ${how} ${doing}, and nothing recovers the job without high availability`;
  const { finding } = it;
  return lost(it, 'JobLost', message, [...standing(it), ...(finding === undefined ? [] : [finding.message])]);
}

/** None of its JobManagers was seen, and the last one tells what in the request keeps every one from running the job. */
function failsEachTime({ attempt, logged }: Case): boolean {
  return attempt.jobManager === undefined && logged !== undefined && reasonClass(logged.reason) === 'user';
}

/** The JobManager answers and has no job: it may have had one, and said how that ended. A session's would take it again. */
export function forgottenEnd({ seen, job, attempt, now }: Case): Verdict | undefined {
  if (seen.rest.state !== 'answered' || job !== undefined) return undefined;
  const outcome = outcomeFromLastWords(seen.jobManagerLog?.text ?? '', attempt.jobId, now);
  return outcome === undefined ? undefined : { kind: 'ended', outcome };
}

/** The end that a JobManager wrote down before it stopped. */
export function lastWords({ seen, attempt, now }: Case): Verdict | undefined {
  if (seen.jobManagerLog?.stopped !== true) return undefined;
  const outcome = outcomeFromLastWords(seen.jobManagerLog.text, attempt.jobId, now);
  return outcome === undefined ? undefined : { kind: 'ended', outcome };
}

export function hasHighAvailability({ job }: RunRecord): boolean {
  return asksForHighAvailability(job?.options ?? {});
}
