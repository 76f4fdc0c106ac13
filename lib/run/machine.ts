import type { Instant } from '../core/clock.ts';
import { clusterIdFor, jobIdFor, parseClusterId, type ClusterId } from '../core/ids.ts';
import { DispatchError } from '../core/errors.ts';
import { reasonClass } from '../core/reasons.ts';
import type { Attempt, Outcome, RunEvent, RunEventType, RunRecord, RunState } from './record.ts';

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
export function isEnded(state: RunState): boolean {
  return state === 'ended' || state === 'cleaning' || state === 'closed';
}

/** @throws DispatchError `Internal` for a transition that the table does not have. */
export function moveTo(record: RunRecord, state: RunState): RunRecord {
  if (!TRANSITIONS[record.state].includes(state)) {
    throw new DispatchError('Internal', `run ${record.runId}: illegal transition ${record.state} → ${state}`);
  }
  return { ...record, state };
}

export function addEvent(record: RunRecord, type: RunEventType, time: Instant, attempt?: number): RunRecord {
  const event: RunEvent = {
    sequence: record.events.length + 1,
    type,
    time,
    ...(attempt === undefined ? {} : { attempt }),
  };
  return { ...record, events: [...record.events, event] };
}

export function currentAttempt(record: RunRecord): Attempt | undefined {
  return record.attempts.at(-1);
}

/** The current attempt with `change` applied. */
export function updateAttempt(record: RunRecord, change: Partial<Attempt>): RunRecord {
  const attempt = requireAttempt(record);
  return { ...record, attempts: [...record.attempts.slice(0, -1), { ...attempt, ...change }] };
}

/** Its outcome takes the place of what it was given up for. */
function closeAttempt(record: RunRecord, outcome: Outcome): RunRecord {
  const attempt = { ...without(requireAttempt(record), 'givenUp'), outcome };
  return { ...record, attempts: [...record.attempts.slice(0, -1), attempt] };
}

export function requireAttempt(record: RunRecord): Attempt {
  const attempt = currentAttempt(record);
  if (attempt === undefined)
    throw new DispatchError('Internal', `run ${record.runId} has no attempt in ${record.state}`);
  return attempt;
}

/** Names the next attempt, before anything of it exists. Only when the last one is proven gone. */
export function beginAttempt(record: RunRecord, now: Instant): RunRecord {
  const last = currentAttempt(record);
  if (last !== undefined && last.goneAt === undefined) {
    throw new DispatchError('Internal', `run ${record.runId}: attempt ${last.number} is not proven gone`);
  }
  const number = (last?.number ?? 0) + 1;
  const { roomWaits } = last ?? {};
  const attempt: Attempt = {
    number,
    ...(roomWaits === undefined ? {} : { roomWaits }),
    clusterId: clusterOfAttempt(record, number),
    jobId: jobIdFor(record.runId, number),
    launchedAt: now,
  };
  return {
    ...moveTo(without(record, 'waiting', 'unreachableSince'), 'launching'),
    // One that found no room left nothing behind: however long the wait, the record does not grow.
    attempts: [...(foundNoRoom(last) ? record.attempts.slice(0, -1) : record.attempts), attempt],
  };
}

function foundNoRoom(attempt: Attempt | undefined): boolean {
  return attempt?.outcome !== undefined && reasonClass(attempt.outcome.reason) === 'capacity';
}

function clusterOfAttempt({ name, runId, job }: RunRecord, number: number): ClusterId {
  const { session } = job ?? {};
  return session === undefined ? clusterIdFor(name, runId, number) : parseClusterId(session.clusterId);
}

/** The cluster's objects exist. */
export function created(record: RunRecord, now: Instant): RunRecord {
  return moveTo(updateAttempt(record, { createdAt: now }), 'starting');
}

/** The job runs; `at` is Flink's own time of it. */
export function started(record: RunRecord, at: Instant, jobManager: Attempt['jobManager']): RunRecord {
  const change = { runningAt: at, ...(jobManager === undefined ? {} : { jobManager }) };
  const attempt = requireAttempt(record);
  return addEvent(moveTo(updateAttempt(record, change), 'running'), 'started', at, attempt.number);
}

/** The one way to an outcome. What stands is never replaced. */
export function end(record: RunRecord, outcome: Outcome): RunRecord {
  const attempt = currentAttempt(record);
  const closed = attempt !== undefined && attempt.outcome === undefined ? closeAttempt(record, outcome) : record;
  const ended = { ...moveTo(without(closed, 'waiting', 'unreachableSince'), 'ended'), outcome };
  return addEvent(ended, 'completed', outcome.at, attempt?.number);
}

/** Gives the attempt up and waits for its successor. */
export function failAttempt(record: RunRecord, outcome: Outcome, until: Instant): RunRecord {
  const attempt = requireAttempt(record);
  const failed = moveTo(closeAttempt(without(record, 'unreachableSince'), outcome), 'waiting');
  const waiting = { reason: outcome.reason, message: outcome.message, since: outcome.at, until };
  return addEvent({ ...failed, waiting }, 'attempt-failed', outcome.at, attempt.number);
}

/** The attempt had no chance: its successor takes its place, and nobody needs to be told. */
export function waitForRoom(record: RunRecord, outcome: Outcome, until: Instant): RunRecord {
  const roomWaits = (requireAttempt(record).roomWaits ?? 0) + 1;
  const waiting = { reason: outcome.reason, message: outcome.message, since: outcome.at, until };
  const closed = closeAttempt(without(record, 'unreachableSince'), outcome);
  return { ...moveTo(updateAttempt(closed, { roomWaits }), 'waiting'), waiting };
}

/** Without keys that are optional. */
export function without<T extends object>(value: T, ...keys: readonly (keyof T)[]): T {
  const copy: Partial<T> = { ...value };
  for (const key of keys) delete copy[key];
  return copy as T;
}
