import * as z from 'zod';
import { canonicalJson } from '../../lib/core/json.ts';
import { isEnded, TRANSITIONS } from '../../lib/run/machine.ts';
import type { RunEvent, RunRecord } from '../../lib/run/record.ts';

export type Check = (invariant: string, holds: boolean, detail: () => string) => void;

/** Bytes of the largest record, and entries of its lists, that a run of at most three attempts may have. */
const MOST_BYTES = 12_000;
const MOST_EVENTS = 8;
const MOST_ATTEMPTS = 6;

/** What holds of every write of a record, by that and the one before it. */
export function checkChange(check: Check, last: RunRecord, next: RunRecord): void {
  const run = `${next.name} ${last.state} → ${next.state}`;
  check('a record is never made twice', last.runId === next.runId && last.createdAt === next.createdAt, () => run);
  const inTable = last.state === next.state || TRANSITIONS[last.state].includes(next.state);
  check('only the table’s transitions', inTable, () => run);
  check('an ended run stays ended', !isEnded(last.state) || isEnded(next.state), () => run);
  if (last.outcome !== undefined) {
    const same = next.outcome !== undefined && canonicalJson(last.outcome) === canonicalJson(next.outcome);
    check(
      'an outcome never changes',
      same,
      () => `${run}: ${JSON.stringify(last.outcome)} became ${JSON.stringify(next.outcome)}`,
    );
  }
  check(
    'look numbers never go back',
    next.step.number >= last.step.number,
    () => `${run}: ${last.step.number} → ${next.step.number}`,
  );
  checkOutbox(check, run, last.events, next.events);
}

function checkOutbox(check: Check, run: string, last: readonly RunEvent[], next: readonly RunEvent[]): void {
  const kept = last.every((event, index) => {
    const { publishedAt, ...rest } = event;
    const { publishedAt: then, ...same } = next[index] ?? { publishedAt: undefined };
    return canonicalJson(rest) === canonicalJson(same) && (publishedAt === undefined || publishedAt === then);
  });
  check('the outbox only grows', kept, () => `${run}: ${JSON.stringify(last)} became ${JSON.stringify(next)}`);
}

/** What holds of every record, by itself. */
export function checkShape(check: Check, record: RunRecord): void {
  const { state, outcome, events, attempts, name } = record;
  check('exactly an ended run has an outcome', isEnded(state) === (outcome !== undefined), () => `${name} ${state}`);
  const inTurn = events.every(({ sequence }, index) => sequence === index + 1);
  check('sequences have no gaps', inTurn, () => `${name}: ${JSON.stringify(events)}`);
  const completed = events.filter(({ type }) => type === 'completed').length;
  check('one completion in the outbox', completed === (outcome === undefined ? 0 : 1), () => `${name}: ${completed}`);
  const bytes = JSON.stringify(record).length;
  const bounded = bytes <= MOST_BYTES && events.length <= MOST_EVENTS && attempts.length <= MOST_ATTEMPTS;
  check(
    'a record is bounded',
    bounded,
    () => `${name}: ${bytes} bytes, ${events.length} events, ${attempts.length} attempts`,
  );
  if (state !== 'cleaning' && state !== 'closed') return;
  const told = events.every(({ publishedAt }) => publishedAt !== undefined);
  check('published before removed', told, () => `${name} ${state} with events that nobody got`);
}

const storedLease = z.object({ state: z.enum(['open', 'stopping']), runs: z.record(z.string(), z.number()) });

/** What is looked at of a pool's lease. @throws ZodError */
export function leaseIn(text: string): z.output<typeof storedLease> {
  return storedLease.parse(JSON.parse(text));
}

/** Two tenants may have the same key. */
export function isOfOneKey(a: RunRecord, b: RunRecord): boolean {
  return a.tenant === b.tenant && a.job?.concurrency?.key === b.job?.concurrency?.key;
}

/** Its spec says that it cannot end, and its JobManager was gone before it could say better. */
export function isCalledEndless({ job }: RunRecord, attempt: RunRecord['attempts'][number] | undefined): boolean {
  return job?.kind === 'streaming' && attempt?.runtime?.type !== 'BATCH';
}
