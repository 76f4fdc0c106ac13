import type { Duration } from '../core/clock.ts';
import type { RunRecord } from '../run/record.ts';

/**
 * What a step left: the record to write, and how long to wait before the next step. 0: go on at once. Effects of a step
 * are either repeatable or come after the write that names them.
 */
export interface Step {
  readonly record: RunRecord;
  readonly wait: Duration;
  /** Somebody sends the next message when its turn comes; the sweeper does when the time is over. */
  readonly isTold?: true;
}

export function continueNow(record: RunRecord): Step {
  return { record, wait: 0 };
}

/** Until it is told, or the time is over. */
export function waitToBeTold(record: RunRecord, wait: Duration): Step {
  return { record, wait, isTold: true };
}

export function waitFor(record: RunRecord, wait: Duration): Step {
  return { record, wait: Math.max(1, wait) };
}
