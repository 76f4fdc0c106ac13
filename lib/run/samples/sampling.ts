import type { Duration, Instant } from '../../core/clock.ts';
import type { Attempt } from '../record.ts';

/** JobManagers fetch metrics every 10 s (`metrics.fetcher.update-interval`): more samples would say no more. */
const SHORTEST = { batch: 10_000, streaming: 60_000 } as const;
const LONGEST: Duration = 15 * 60_000;
/** Samples a job would have if all came at the distance of its last one. */
const MANY = 200;

/** At least this much apart: a minute for streams, less often with a job's age, at most a quarter of an hour. */
export function sampleInterval(kind: 'batch' | 'streaming', age: Duration): Duration {
  return Math.min(LONGEST, Math.max(SHORTEST[kind], age / MANY));
}

/** Whether a look, which comes anyway, is to keep a sample. Looks come early by a little. */
export function isSampleDue(
  { runningAt, sampledAt }: Pick<Attempt, 'runningAt' | 'sampledAt'>,
  kind: 'batch' | 'streaming',
  now: Instant,
): boolean {
  if (runningAt === undefined) return false;
  if (sampledAt === undefined) return true;
  return now - sampledAt >= 0.95 * sampleInterval(kind, now - runningAt);
}
