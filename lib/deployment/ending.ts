import type { Duration, Instant } from '../core/clock.ts';
import type { RunRecord } from '../run/record.ts';
import { TRANSITION, type Decision } from './decision.ts';
import { addEvent } from './events.ts';
import type { DeploymentRecord, DeploymentRun } from './record.ts';

/** A clean-up that takes longer is told. */
const LATE: Duration = 10 * 60_000;

/** Its outcome stands, and something of it may be left: whatever is wanted, nothing begins before that is gone. */
export function ending(record: DeploymentRecord, own: DeploymentRun, run: RunRecord, now: Instant): Decision {
  const message = own.lateTold === true ? undefined : lateSince(run, now);
  if (message === undefined) return { record, effects: [], dueAt: now + TRANSITION };
  const late = { ...record, run: { ...own, lateTold: true } };
  return { record: addEvent(late, 'delayed', now, { run: own.id, message }), effects: [], dueAt: now + TRANSITION };
}

/** The run before the last one. */
export function stillLeaving(
  record: DeploymentRecord,
  leaving: NonNullable<DeploymentRecord['leaving']>,
  run: RunRecord | undefined,
  now: Instant,
): Decision {
  const message = leaving.lateTold === true || run === undefined ? undefined : lateSince(run, now);
  if (message === undefined) return { record, effects: [], dueAt: now + TRANSITION };
  const late = { ...record, leaving: { ...leaving, lateTold: true as const } };
  return { record: addEvent(late, 'delayed', now, { run: leaving.id, message }), effects: [], dueAt: now + TRANSITION };
}

function lateSince({ runId, outcome }: RunRecord, now: Instant): string | undefined {
  const since = now - (outcome?.at ?? now);
  if (since < LATE) return undefined;
  return `Run ${runId} has ended, and is not proven gone since ${Math.round(since / 60_000)} minutes: the next one waits`;
}
