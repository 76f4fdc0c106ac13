import type { Duration } from '../../core/clock.ts';
import { nearest } from '../../core/nearest.ts';
import { parseDuration } from '../../core/duration.ts';
import { malformed } from '../filter.ts';
import type { HttpCall } from './call.ts';

/** A function answers within its time, and clients wait no longer than half a minute. */
const LONGEST_WAIT: Duration = 25_000;

/** The parameters of a call. @throws DispatchError `MalformedRequest` for one that is not known there */
export function queryOf<const K extends string>(
  { query }: HttpCall,
  known: readonly K[],
): Readonly<Partial<Record<K, string>>> {
  const unknown = Object.keys(query).find((name) => !known.some((one) => one === name));
  if (unknown === undefined) return query as Readonly<Partial<Record<K, string>>>;
  const near = nearest(unknown, known);
  const there = known.length === 0 ? 'there are none here' : `known here are ${known.join(', ')}`;
  throw malformed(unknown, `is no parameter: ${near === undefined ? there : `did you mean ${near}?`}`);
}

/** Absent, empty or `true`, and `false`. */
export function flagIn(name: string, text: string | undefined): boolean {
  if (text === undefined || text === 'false') return false;
  if (text === '' || text === 'true') return true;
  throw malformed(name, `'${text}' must be true or false`);
}

export function waitIn(text: string | undefined): Duration {
  if (text === undefined) return 0;
  const wait = parseDuration(text);
  if (wait !== undefined && wait <= LONGEST_WAIT) return wait;
  throw malformed('wait', `'${text}' must be a duration, at most ${LONGEST_WAIT / 1000}s`);
}
