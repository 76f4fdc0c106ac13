import type { Duration, Instant } from '../../core/clock.ts';
import type { SessionLeases } from '../../run/session-lease.ts';
import type { LiveRuns, SweepCursors } from '../../run/store/live-runs.ts';
import type { RunIndex } from '../../run/store/run-index.ts';
import type { DispatchDeps } from '../deps.ts';

/** A message that is this late is lost, or its function died with it: its queue would have shown it again by now. */
export const OVERDUE: Duration = 2 * 60_000;
/** A record comes a moment after its marker: no function that has set one this long ago still lives. */
export const MARKER_AGE: Duration = 60 * 60_000;
export const PAGE = 100;

export interface SweepLimits {
  /** At most this many runs, and as many clusters, in one pass. */
  readonly most: number;
  /** The pass ends at this time, wherever it is. */
  readonly deadline: Instant;
  /** Whether rows of older runs are moved together, which needs no haste. */
  readonly folds?: boolean;
}

/** What a sweep needs of the outside: it takes no step of a run itself. */
export type SweepDeps = Pick<
  DispatchDeps,
  'ledger' | 'deployments' | 'runQueue' | 'eventContext' | 'targets' | 'clock' | 'log'
> & {
  readonly live: LiveRuns;
  readonly index: RunIndex;
  readonly cursors: SweepCursors;
  readonly leases: SessionLeases;
};
