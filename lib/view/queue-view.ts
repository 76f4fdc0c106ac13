import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { redactJson } from '../core/redaction/redact.ts';
import { REASONS } from '../core/reasons.ts';
import type { RunRecord } from '../run/record.ts';
import type { LockLine } from '../run/store/locks.ts';

export interface WaitingRun {
  readonly runId: string;
  readonly name: string;
  readonly tenant?: string;
  /** From 1; absent where there is no line. */
  readonly place?: number;
  readonly message: string;
  readonly since: Instant;
  /** When it is looked at again. */
  readonly until?: Instant;
}

/** Runs that wait for the same. */
export interface QueueView {
  /** The concurrency key of those that wait for their turn. */
  readonly key?: string;
  readonly reason: string;
  readonly todo: string;
  /** Whose turn it is. */
  readonly holder?: string;
  readonly waiting: readonly WaitingRun[];
}

/** A run that waits, and the line that it stands in. */
export interface Waiter {
  readonly run: RunRecord;
  readonly line?: LockLine;
}

/** Those that wait, by what they wait for; the longest queue first. */
export function viewQueues(waiters: readonly Waiter[]): readonly QueueView[] {
  const groups = new Map<string, { readonly first: Waiter; readonly waiting: WaitingRun[] }>();
  for (const waiter of waiters) {
    const { waiting, tenant = '', job } = waiter.run;
    if (waiting === undefined) continue;
    const key = isTurn(waiter) ? job?.concurrency?.key : undefined;
    const group = JSON.stringify(key === undefined ? [waiting.reason] : [waiting.reason, tenant, key]);
    const known = groups.get(group) ?? { first: waiter, waiting: [] };
    known.waiting.push(waitingRun(waiter));
    groups.set(group, known);
  }
  return [...groups.values()]
    .map(({ first, waiting }) => queueOf(first, waiting.sort(byPlace)))
    .sort((a, b) => b.waiting.length - a.waiting.length);
}

/** A run that has a key may wait for room, too. */
function isTurn({ run, line }: Waiter): boolean {
  return line !== undefined && line.queue.includes(run.runId);
}

function queueOf(first: Waiter, waiting: readonly WaitingRun[]): QueueView {
  const reason = first.run.waiting?.reason ?? 'JobFinished';
  const turn = isTurn(first);
  return {
    reason,
    todo: REASONS[reason].todo,
    ...defined({
      key: turn ? redactJson(first.run).job?.concurrency?.key : undefined,
      holder: turn ? first.line?.holder : undefined,
    }),
    waiting,
  };
}

function waitingRun({ run, line }: Waiter): WaitingRun {
  const { runId, name, tenant, waiting, createdAt } = redactJson(run);
  const place = (line?.queue.indexOf(runId) ?? -1) + 1;
  return {
    ...{ runId, name, message: waiting?.message ?? '', since: waiting?.since ?? createdAt },
    ...defined({ tenant, place: place === 0 ? undefined : place, until: waiting?.until }),
  };
}

function byPlace(a: WaitingRun, b: WaitingRun): number {
  return (a.place ?? Infinity) - (b.place ?? Infinity) || a.since - b.since;
}
