import type { Duration, Instant } from '../core/clock.ts';
import type { Reason } from '../core/reasons.ts';
import { SILENCE_LIMIT } from './deadlines.ts';
import { outcomeOf } from './verdict.ts';
import { currentAttempt, hasAttempt } from '../run/machine.ts';
import { startingFor } from '../run/prepared.ts';
import { cancelOf } from '../run/stop-request.ts';
import type { ActiveRun, Attempt, EndedRun, Outcome, QueuedRun, RunRecord } from '../run/record.ts';

/** A look may fail for that long before a deadline or a request to cancel acts without one. */
const LOOK_PATIENCE: Duration = 60_000;
/** How long looks may fail before the outcome is called unknown: a cluster that does not answer may come back with its jobs. */
export const UNSEEN_LIMIT: Duration = 24 * 60 * 60_000;
/** Rights that are gone are seldom a matter of time: a namespace that was deleted took them along. */
export const FORBIDDEN_LIMIT: Duration = SILENCE_LIMIT;
/** How long a clean-up may fail before the run is closed without proof that its cluster is gone. */
export const ABANDON_LIMIT: Duration = 24 * 60 * 60_000;

/** Of outcomes that no look at the cluster gave. */
const RULE = 'no-look';

/**
 * What becomes of a run whose steps fail, so that nothing is known of its cluster: deadlines and requests to cancel hold
 * all the same. `undefined`: it is tried again. A run that may have ended unseen is not run again.
 */
export function outcomeWithoutLook(record: QueuedRun | ActiveRun, now: Instant): Outcome | undefined {
  const { stepError } = record;
  // Where the ledger fails, looks may be well.
  if (stepError === undefined || stepError.reason === 'StorageUnavailable') return undefined;
  const unseen: Unseen = { ...stepError, now, duration: now - stepError.since };
  if (unseen.duration < LOOK_PATIENCE) return undefined;
  switch (record.state) {
    case 'accepted':
    case 'waiting':
      return hasAttempt(record) ? betweenAttempts(currentAttempt(record), unseen) : undefined;
    case 'launching':
      return undefined;
    case 'starting':
    case 'running':
      return ofAttempt(record, unseen);
  }
}

type Unseen = NonNullable<RunRecord['stepError']> & { readonly now: Instant; readonly duration: Duration };

function ofAttempt(record: ActiveRun, unseen: Unseen): Outcome | undefined {
  const { now } = unseen;
  const asked = cancelOf(record);
  if (asked !== undefined && now - asked.at >= LOOK_PATIENCE) {
    return tell('canceled', asked.reason, `Canceled by ${asked.by}`, unseen);
  }
  const deadline = deadlineOver(record, now);
  if (deadline === undefined && unseen.duration < limitOf(unseen.reason)) return undefined;
  const late = deadline === undefined ? '' : `${deadline} is over, and `;
  return tell('unknown', unseen.reason, `${late}whether the job ended is not known`, unseen);
}

/** The last attempt has failed, and nobody knows whether its cluster is gone. */
function betweenAttempts(last: Attempt, unseen: Unseen): Outcome | undefined {
  if (last.removalVerifiedAt !== undefined || unseen.duration < limitOf(unseen.reason)) return undefined;
  const { reason = unseen.reason, message = 'The attempt failed' } = last.outcome ?? {};
  const why = unseen.reason.startsWith('StateStorage')
    ? 'its newest state is not known'
    : 'its cluster may still be there';
  return tell('failed', reason, `${message}; it is not tried again, because ${why}`, unseen);
}

function tell(state: Outcome['state'], reason: Reason, what: string, unseen: Unseen): Outcome {
  const { now, duration, message, count } = unseen;
  const why = `no look at its cluster succeeded for ${Math.round(duration / 1000)} s: ${message}`;
  const evidence = [`${count} steps failed, the last with ${unseen.reason}`];
  return { ...outcomeOf(state, reason, `${what}: ${why}`, now, evidence), rule: RULE };
}

/** Whether a run that has ended is closed although its cluster may still be there. */
export function isAbandoned({ state, stepError }: EndedRun, now: Instant): boolean {
  return state === 'cleaning' && stepError !== undefined && now - stepError.since >= ABANDON_LIMIT;
}

function limitOf(reason: Reason): Duration {
  return reason === 'PermissionDenied' ? FORBIDDEN_LIMIT : UNSEEN_LIMIT;
}

/** The deadline that is over. */
function deadlineOver(record: ActiveRun, now: Instant): string | undefined {
  const { start, run } = record.job.deadlines;
  const attempt = currentAttempt(record);
  const { runningAt } = attempt;
  if (runningAt === undefined) return startingFor(record, attempt, now) >= start ? 'deadlines.start' : undefined;
  return run !== undefined && now - runningAt >= run ? 'deadlines.run' : undefined;
}
