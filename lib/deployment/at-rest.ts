import type { Duration, Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { omit } from '../core/omit.ts';
import { TRANSITION, type Decision, type DeploymentEffect } from './decision.ts';
import { addEvent } from './events.ts';
import { retire, retireAll, retirementAt } from './history.ts';
import type { DeploymentRecord, Generation } from './record.ts';
import { removals } from './removals.ts';

/** Kept jars expire after 90 days. */
export const JAR: Duration = 10 * 24 * 60 * 60_000;

/** Nothing of it is left, and it may be resumed. */
export function suspended(record: DeploymentRecord, now: Instant): DeploymentRecord {
  const reached = { ...omit(record, 'settled'), reached: record.wanted };
  if (record.state === 'suspended' && record.reached === record.wanted) return record;
  return addEvent({ ...reached, state: 'suspended' }, 'suspended', now, defined({ snapshot: record.newest }));
}

/** What is left of it goes, and then it is over. */
export function deleted(record: DeploymentRecord, wanted: Generation, now: Instant): Decision {
  const purged = wanted.wish.purge === true ? retireAll(record, now) : record;
  const effects = removals(purged);
  if (effects.length > 0) return { record: { ...purged, state: 'deleting' }, effects, dueAt: now + TRANSITION };
  const kept = omit(purged, 'newest', 'unknown', 'finishedAt', 'settled', 'last', 'stable');
  const empty = { ...kept, leftovers: [], snapshots: [], runs: 0, reached: record.wanted, state: 'deleted' as const };
  return { record: addEvent(empty, 'deleted', now), effects: [] };
}

/** Nothing goes on: snapshots grow old, and the jar of what may be resumed is kept. */
export function rest(record: DeploymentRecord, wanted: Generation, now: Instant): Decision {
  const retired = retire(record, now);
  const keep = keepsJar(retired) && now - record.jarKeptAt >= JAR;
  const kept = keep ? { ...retired, jarKeptAt: now } : retired;
  const effects: DeploymentEffect[] = removals(kept);
  if (keep) effects.push(...jars(kept, wanted.number));
  const times = [retirementAt(kept, now), keepsJar(kept) ? kept.jarKeptAt + JAR : undefined];
  return { record: kept, effects, ...due(times) };
}

/** Of these generations, and of the one that may have to run again. */
export function jars({ stable }: DeploymentRecord, ...generations: readonly number[]): DeploymentEffect[] {
  const all = new Set([...generations, ...(stable === undefined ? [] : [stable.generation])]);
  return [...all].map((generation) => ({ kind: 'keep-jar', generation }));
}

function keepsJar({ state }: DeploymentRecord): boolean {
  return state !== 'finished' && state !== 'deleted';
}

/** The first of them. */
export function due(times: readonly (Instant | undefined)[]): { readonly dueAt?: Instant } {
  const set = times.filter((time) => time !== undefined);
  return set.length === 0 ? {} : { dueAt: Math.min(...set) };
}
