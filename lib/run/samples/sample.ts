import type { Instant } from '../../core/clock.ts';
import type { JobFigures } from '../../flink/job-history.ts';

/** What one look saw of a running job. */
export interface Sample extends JobFigures {
  readonly at: Instant;
}
