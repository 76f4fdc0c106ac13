import type { Instant } from '../../core/clock.ts';
import type { Reason } from '../../core/reasons.ts';
import { isTerminal, type JobState, JOB_STATES } from '../../flink/job-state.ts';
import { currentAttempt, hasAttempt } from '../machine.ts';
import type { EndedRun } from '../record.ts';

/** After these the cluster, if it stayed, would go on with the program or begin it again; its evidence is kept anyway. */
const GOES_ON: ReadonlySet<Reason> = new Set<Reason>([
  'ApplicationFailed',
  'JobLost',
  'JobManagerCrashed',
  'JobManagerOutOfMemory',
  'PodEvicted',
  'RunDeadlineExceeded',
]);

/** Until when the cluster of an ended run stays; `undefined`: it goes at once. */
export function keepUntil(record: EndedRun, now: Instant): Instant | undefined {
  if (!hasAttempt(record)) return undefined;
  const { job, outcome } = record;
  // A session stays anyway, and nothing of the run is to stay in it.
  if (job.mode === 'session') return undefined;
  // Nor does a stream's next run wait for a cluster that is only there to be looked at.
  if (job.state !== undefined) return undefined;
  if (GOES_ON.has(outcome.reason) && !jobIsOver(record)) return undefined;
  if (currentAttempt(record).goesOn === true) return undefined;
  const { keepCluster, ttl } = job.afterEnd;
  const bad = outcome.state === 'failed' || outcome.state === 'unknown';
  const keep = keepCluster === 'always' || (keepCluster === 'on-failure' && bad);
  return keep ? now + ttl : undefined;
}

/** True when the kept cluster can no longer run the job, so that another run of the same key may start beside it. */
export function jobIsOver({ outcome }: EndedRun): boolean {
  const state = outcome.flinkState;
  return state !== undefined && Object.hasOwn(JOB_STATES, state) && isTerminal(state as JobState);
}

/**
 * High-availability metadata goes with a cluster whose end is known. After an unknown end it stays: it is what a person
 * would restore from.
 */
export function removesHighAvailability({ outcome }: EndedRun): boolean {
  return outcome.state !== 'unknown';
}
