import type { Duration, Instant } from '../core/clock.ts';
import { currentAttempt } from './machine.ts';
import type { ActiveRun } from './record.ts';

/** Whether what the attempt's pods read when they start has to be written anew. */
export function renewalIsDue(record: ActiveRun, now: Instant): boolean {
  return renewAt(record) <= now;
}

/** A look in time for the next renewal. */
export function inTimeToRenew(record: ActiveRun, wait: Duration, now: Instant): Duration {
  return Math.min(wait, Math.max(0, renewAt(record) - now));
}

/** Never, where no JobManager may start any more. */
function renewAt(record: ActiveRun): Instant {
  const { renewAt: due = Infinity, startRevokedAt } = currentAttempt(record);
  return startRevokedAt === undefined ? due : Infinity;
}
