import type { Duration, Instant } from '../core/clock.ts';
import type { RunId } from '../core/ids.ts';
import { reasonClass, type Reason } from '../core/reasons.ts';
import { currentAttempt, end, failAttempt, updateAttempt, waitForCapacity } from './machine.ts';
import { memoryRemedy, withChanges } from './remedy.ts';
import type { ActiveRun, EndedRun, HasAttempt, Outcome, QueuedRun, RunRecord } from './record.ts';
import { isHeld, isPrepared } from './prepared.ts';
import { cancelOf } from './stop-request.ts';

/** Attempts stay on record. */
const MOST_REMEDIES = 10;
const MAX_BACKOFF: Duration = 15 * 60_000;
const CAPACITY_WAIT: Duration = 15_000;
/** Whoever has waited long asks no less often than who came last. */
const MAX_CAPACITY_WAIT: Duration = 60_000;

/** Lack of room costs no attempt: the job has not had its chance. */
function countsAsAttempt(reason: Reason | undefined): boolean {
  return reason === undefined || reasonClass(reason) !== 'capacity';
}

export function attemptsUsed(record: RunRecord): number {
  return record.attempts.filter(({ outcome, remedy }) => countsAsAttempt(outcome?.reason) && remedy === undefined)
    .length;
}

/** Ends the run, or leaves room for another attempt, by the class of the failure. */
export function afterFailure(record: ActiveRun, outcome: Outcome, now: Instant): QueuedRun | EndedRun {
  // What is wanted in its place is its deployment's to say.
  if (isHeld(record)) return end(record, outcome);
  if (wasPreparedInVain(record, outcome)) return failAttempt(record, outcome, now);
  const larger = withMoreMemory(record, outcome, now);
  if (larger !== undefined) return larger;
  const wait = retryWait(record, outcome);
  if (wait === undefined) return end(record, outcome);
  return countsAsAttempt(outcome.reason)
    ? failAttempt(record, outcome, now + wait)
    : waitForCapacity(record, outcome, now + wait);
}

/**
 * Leaves room for another attempt that has more memory, whatever `retry.attempts` says: `retry.memory.limit` ends it.
 * `undefined` where the outcome calls for none.
 */
export function withMoreMemory(record: ActiveRun, outcome: Outcome, now: Instant): QueuedRun | undefined {
  if (isHeld(record) || cancelOf(record) !== undefined || currentAttempt(record).jobFinished === true) return undefined;
  if (record.attempts.filter((attempt) => attempt.remedy !== undefined).length >= MOST_REMEDIES) return undefined;
  const remedy = memoryRemedy(record.job, outcome);
  if (remedy === undefined) return undefined;
  const larger = { ...updateAttempt(record, { remedy }), job: withChanges(record.job, remedy) };
  return failAttempt(larger, outcome, now + record.job.retry.backoff);
}

/** What no other cluster would make better. */
const STATE: ReadonlySet<Reason> = new Set<Reason>(['StateIncompatible', 'StateUnreadable']);

/** A program that was handed to a JobManager and did not come to run gets a cluster of the usual kind, whatever `retry` says. */
function wasPreparedInVain(record: ActiveRun, outcome: Outcome): boolean {
  if (outcome.state !== 'failed' || cancelOf(record) !== undefined || STATE.has(outcome.reason)) return false;
  return isPrepared(record) && currentAttempt(record).runningAt === undefined;
}

/** How long another attempt waits after this outcome of the last one; `undefined`: there is none. */
export function retryWait(record: ActiveRun | (QueuedRun & HasAttempt), outcome: Outcome): Duration | undefined {
  const { job } = record;
  if (outcome.state !== 'failed' || cancelOf(record) !== undefined) return undefined;
  switch (reasonClass(outcome.reason)) {
    case 'capacity': {
      const before = currentAttempt(record).capacityWaits ?? 0;
      const wait = Math.min(MAX_CAPACITY_WAIT, CAPACITY_WAIT * 2 ** Math.min(before, 8));
      return Math.round(wait * (0.5 + spread(record.runId, before) / 2));
    }
    case 'infrastructure': {
      const used = attemptsUsed(record);
      if (used >= job.retry.attempts) return undefined;
      return Math.min(MAX_BACKOFF, job.retry.backoff * 2 ** Math.min(used - 1, 10));
    }
    case 'user':
    case 'internal':
    case 'none':
      return undefined;
  }
}

/**
 * From 0 to 1, another for each run and each of its waits. Runs that found no room at the same time would otherwise ask
 * again at the same time, take what is free then, and leave alone what becomes free before the next time.
 */
function spread(runId: RunId, waits: number): number {
  const from = (waits * 4) % 16;
  return Number.parseInt(runId.slice(from, from + 4), 16) / 0xffff;
}
