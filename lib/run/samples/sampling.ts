import type { Duration, Instant } from '../../core/clock.ts';
import type { Attempt } from '../record.ts';

/** JobManagers fetch metrics every 10 s (`metrics.fetcher.update-interval`): more samples would say no more. */
const SHORTEST = { batch: 10_000, streaming: 60_000 } as const;
const LONGEST: Duration = 40 * 60_000;
/** Samples a job would have if all came at the distance of its last one. */
const MANY = 80;

/**
 * At least this much apart: a minute for streams at first, and less often with a job's age. A sample takes half as much
 * processor time as a look does, and over a week one look in seven keeps one (`npm run bench:follow`).
 */
export function sampleInterval(kind: 'batch' | 'streaming', age: Duration): Duration {
  return Math.min(LONGEST, Math.max(SHORTEST[kind], age / MANY));
}

/** Whether a look, which comes anyway, is to keep a sample. Looks come early by a little. */
export function isSampleDue(
  { runningAt, sampled }: Pick<Attempt, 'runningAt' | 'sampled'>,
  kind: 'batch' | 'streaming',
  now: Instant,
): boolean {
  if (runningAt === undefined) return false;
  if (sampled === undefined) return true;
  return now - sampled.at >= 0.95 * sampleInterval(kind, now - runningAt);
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
