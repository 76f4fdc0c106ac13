import type { Instant } from '../../core/clock.ts';
import type { JobFigures } from '../../flink/job-history.ts';

/** What one look saw of a running job. */
export interface Sample extends JobFigures {
  readonly at: Instant;
}

/** Points that are kept of an attempt: the newest as they came, older ones ever farther apart. */
export const MOST_POINTS = 500;
