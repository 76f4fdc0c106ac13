import type { JobResult, JobSummary } from '../flink/job-manager.ts';
import { isTerminal } from '../flink/job-state.ts';
import { currentAttempt } from '../run/machine.ts';
import { isSubmitted } from '../run/prepared.ts';
import type { HasAttempt } from '../run/record.ts';
import type { Observation, RestFacts } from './observation.ts';

/** The attempt's jobs, in the order in which they began: of a session the one with its id, else all of its own cluster. */
export function jobsOf({ rest }: Pick<Observation, 'rest'>, record: HasAttempt): readonly JobSummary[] {
  if (rest.state === 'unreachable') return [];
  const { jobId } = currentAttempt(record);
  const { jobs } = rest.facts;
  if (isSubmitted(record)) return jobs.filter(({ id }) => id === jobId);
  return [...jobs].sort((a, b) => a.startTime - b.startTime);
}

/** The one that goes on, or tells how they ended. */
export function currentJob(jobs: readonly JobSummary[]): JobSummary | undefined {
  return jobs.findLast(({ state }) => !isTerminal(state)) ?? tellingJob(jobs);
}

/** Of jobs that have ended the one that tells how: the last that failed, else was canceled, else the last of all. */
export function tellingJob(jobs: readonly JobSummary[]): JobSummary | undefined {
  const last = (state: string): JobSummary | undefined => jobs.findLast((job) => job.state === state);
  return last('FAILED') ?? last('CANCELED') ?? jobs.at(-1);
}

/** Whether there was a job and all have ended. */
export function haveEnded(jobs: readonly JobSummary[]): boolean {
  return jobs.length > 0 && jobs.every(({ state }) => isTerminal(state));
}

/** What Flink told of the end of one of these jobs. */
export function resultOf(rest: RestFacts, jobs: readonly JobSummary[], id: string): JobResult | undefined {
  if (rest.state === 'unreachable') return undefined;
  return id === tellingJob(jobs)?.id ? rest.result : rest.results?.[id];
}
