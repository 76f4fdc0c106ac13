import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { clusterIdFor, jobIdFor, type ClusterId } from '../core/ids.ts';
import { DispatchError } from '../core/errors.ts';
import { reasonClass } from '../core/reasons.ts';
import type {
  ActiveRun,
  Attempt,
  Attempts,
  EndedRun,
  HasAttempt,
  LaunchedRun,
  Outcome,
  QueuedRun,
  RunEvent,
  RunEventType,
  RunRecord,
  RunState,
} from './record.ts';

/** Who may follow whom. A pair that is not here is a defect, and says so. */
export const TRANSITIONS: Readonly<Record<RunState, readonly RunState[]>> = {
  accepted: ['waiting', 'launching', 'ended'],
  waiting: ['launching', 'ended'],
  launching: ['starting', 'waiting', 'ended'],
  starting: ['running', 'waiting', 'ended'],
  running: ['waiting', 'ended'],
  ended: ['cleaning'],
  cleaning: ['closed'],
  closed: [],
};

/** States in which the outcome stands and can no longer change. */
export function isEnded(state: RunState): state is EndedRun['state'] {
  return state === 'ended' || state === 'cleaning' || state === 'closed';
}

/** Without an outcome yet. */
export function isOpen(record: RunRecord): record is QueuedRun | ActiveRun {
  return !isEnded(record.state);
}

/** @throws DispatchError `Internal` for a transition that the table does not have. */
export function checkTransition({ runId, state }: RunRecord, next: RunState): void {
  if (!TRANSITIONS[state].includes(next)) {
    throw new DispatchError('Internal', `run ${runId}: illegal transition ${state} → ${next}`);
  }
}

export function addEvent<R extends RunRecord>(record: R, type: RunEventType, time: Instant, attempt?: number): R {
  const event: RunEvent = { sequence: record.events.length + 1, type, time, ...defined({ attempt }) };
  return { ...record, events: [...record.events, event] };
}

/** Whether the run was ever launched. */
export function hasAttempt<R extends RunRecord>(record: R): record is R & HasAttempt {
  return record.attempts.length > 0;
}

export function currentAttempt(record: Pick<HasAttempt, 'attempts'>): Attempt;
export function currentAttempt(record: Pick<RunRecord, 'attempts'>): Attempt | undefined;
export function currentAttempt({ attempts }: Pick<RunRecord, 'attempts'>): Attempt | undefined {
  return attempts.at(-1);
}

function append(earlier: readonly Attempt[], attempt: Attempt): Attempts {
  const [first, ...rest] = earlier;
  return first === undefined ? [attempt] : [first, ...rest, attempt];
}

function replaceAttempt<R extends LaunchedRun>(record: R, attempt: Attempt): R {
  return { ...record, attempts: append(record.attempts.slice(0, -1), attempt) };
}

/** The current attempt with `change` applied. */
export function updateAttempt<R extends LaunchedRun>(record: R, change: Partial<Attempt>): R {
  return replaceAttempt(record, { ...currentAttempt(record), ...change });
}

type Notes = Pick<Attempt, 'jobsEndedAt' | 'mainReturnedAt' | 'jobFinished'>;

/** The current attempt with these notes of its program in place of those that it had. */
export function replaceNotes<R extends LaunchedRun>(
  record: R,
  notes: { readonly [K in keyof Notes]: Notes[K] | undefined },
): R {
  const bare = without(currentAttempt(record), 'jobsEndedAt', 'mainReturnedAt', 'jobFinished');
  return replaceAttempt(record, { ...bare, ...defined(notes) });
}

/** The current attempt without what was said of the state that it left. */
export function withoutSnapshot<R extends LaunchedRun>(record: R): R {
  return replaceAttempt(record, without(currentAttempt(record), 'snapshot'));
}

/** Its outcome takes the place of what it was given up for. */
function closeAttempt<R extends LaunchedRun>(record: R, outcome: Outcome): R {
  return replaceAttempt(record, { ...without(currentAttempt(record), 'abortOutcome'), outcome });
}

/** Names the next attempt, before anything of it exists. Only when the last one is proven gone. */
export function beginAttempt(record: QueuedRun, now: Instant): ActiveRun {
  const last = currentAttempt(record);
  if (last !== undefined && last.removalVerifiedAt === undefined) {
    throw new DispatchError('Internal', `run ${record.runId}: attempt ${last.number} is not proven gone`);
  }
  const number = (last?.number ?? 0) + 1;
  const { capacityWaits } = last ?? {};
  // Never less than the one before it had: what that left, or what it began from.
  const restoredFrom = last === undefined ? record.startFrom : (last.snapshot ?? last.restoredFrom ?? record.startFrom);
  const attempt: Attempt = {
    number,
    ...defined({ capacityWaits, restoredFrom }),
    clusterId: clusterOfAttempt(record, number),
    jobId: jobIdFor(record.runId, number),
    launchedAt: now,
  };
  checkTransition(record, 'launching');
  return {
    ...without(record, 'waiting', 'unreachableSince'),
    state: 'launching',
    // One that found no room left nothing behind: however long the wait, the record does not grow.
    attempts: append(foundNoRoom(last) ? record.attempts.slice(0, -1) : record.attempts, attempt),
  };
}

function foundNoRoom(attempt: Attempt | undefined): boolean {
  return attempt?.outcome !== undefined && reasonClass(attempt.outcome.reason) === 'capacity';
}

function clusterOfAttempt({ name, runId, job }: QueuedRun, number: number): ClusterId {
  return job.mode === 'session' ? job.session.clusterId : clusterIdFor(name, runId, number);
}

/** The cluster's objects exist. */
export function created(record: ActiveRun, now: Instant): ActiveRun {
  checkTransition(record, 'starting');
  return { ...updateAttempt(record, { createdAt: now }), state: 'starting' };
}

/** A job runs; `at` is Flink's own time of it. */
export function started(
  record: ActiveRun,
  at: Instant,
  seen: Pick<Partial<Attempt>, 'jobManager' | 'jobId'>,
): ActiveRun {
  checkTransition(record, 'running');
  const running = updateAttempt(record, { runningAt: at, ...seen });
  return addEvent({ ...running, state: 'running' }, 'started', at, currentAttempt(record).number);
}

/** The one way to an outcome. What stands is never replaced. */
export function end(record: QueuedRun | ActiveRun, outcome: Outcome): EndedRun {
  checkTransition(record, 'ended');
  const attempt = currentAttempt(record);
  const isOpen = hasAttempt(record) && currentAttempt(record).outcome === undefined;
  const closed = isOpen ? closeAttempt(record, outcome) : record;
  const ended: EndedRun = { ...without(closed, 'waiting', 'unreachableSince'), state: 'ended', outcome };
  return addEvent(ended, 'completed', outcome.at, attempt?.number);
}

/** Its events are published: what it has left can go. */
export function toCleaning(record: EndedRun): EndedRun {
  checkTransition(record, 'cleaning');
  return { ...record, state: 'cleaning' };
}

/** Nothing of it is left. */
export function toClosed(record: EndedRun): EndedRun {
  checkTransition(record, 'closed');
  return { ...record, state: 'closed' };
}

/** Its next step depends on others; again, it may wait for something else than before. */
export function toWaiting(record: QueuedRun | ActiveRun, waiting: NonNullable<RunRecord['waiting']>): QueuedRun {
  if (record.state !== 'waiting') checkTransition(record, 'waiting');
  return { ...record, state: 'waiting', waiting };
}

/** Gives the attempt up and waits for its successor. */
export function failAttempt(record: ActiveRun, outcome: Outcome, until: Instant): QueuedRun {
  const waiting = { reason: outcome.reason, message: outcome.message, since: outcome.at, until };
  const failed = toWaiting(closeAttempt(without(record, 'unreachableSince'), outcome), waiting);
  return addEvent(failed, 'attempt-failed', outcome.at, currentAttempt(record).number);
}

/** The attempt had no chance: its successor takes its place, and nobody needs to be told. */
export function waitForCapacity(record: ActiveRun, outcome: Outcome, until: Instant): QueuedRun {
  const capacityWaits = (currentAttempt(record).capacityWaits ?? 0) + 1;
  const waiting = { reason: outcome.reason, message: outcome.message, since: outcome.at, until };
  const closed = closeAttempt(without(record, 'unreachableSince'), outcome);
  return toWaiting(updateAttempt(closed, { capacityWaits }), waiting);
}

/** Without keys that are optional. */
export function without<T extends object>(value: T, ...keys: readonly (keyof T)[]): T {
  const copy: Partial<T> = { ...value };
  for (const key of keys) delete copy[key];
  return copy as T;
}
