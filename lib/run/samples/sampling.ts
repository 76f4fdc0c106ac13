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

const MINUTE: Duration = 60_000;
const DAY: Duration = 24 * 60 * MINUTE;
/** A job that is younger ends while its JobManager is looked at twice a second. */
const FIRST_DRAFT: Duration = 15_000;

/**
 * Whether a look is to write down what the JobManager would show, in case it dies: with each doubling of the job's age, and
 * every day.
 */
export function isDraftDue({ runningAt, archive }: Pick<Attempt, 'runningAt' | 'archive'>, now: Instant): boolean {
  if (runningAt === undefined) return false;
  const { draftedAt } = archive ?? {};
  if (draftedAt === undefined) return now - runningAt >= FIRST_DRAFT;
  return now - draftedAt >= Math.min(DAY, Math.max(MINUTE, draftedAt - runningAt));
}
