import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import { REASON_CODES } from '../core/reasons.ts';
import { parseDuration } from '../core/duration.ts';
import { ROW_STATES, TRIGGERS, type RowState, type RunRow } from '../run/row.ts';
import type { RowWish } from '../run/store/run-index.ts';

/** What a list of runs is asked for, as people write it; several values are separated by commas. */
export interface FilterTexts {
  /** `running`, `failed,unknown`; `live` and `ended` stand for several. */
  readonly state?: string | undefined;
  readonly reason?: string | undefined;
  /** `*` stands for anything. */
  readonly name?: string | undefined;
  readonly tenant?: string | undefined;
  readonly trigger?: string | undefined;
  readonly tag?: string | undefined;
  /** `2h`: accepted in the last two hours. Or a time, `2026-11-21T06:00:00Z`, or a day. */
  readonly since?: string | undefined;
  readonly limit?: string | undefined;
}

const LIVE = ROW_STATES.slice(0, 4);
const GROUPS: Readonly<Record<string, readonly RowState[]>> = { live: LIVE, ended: ROW_STATES.slice(4) };
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100_000;

/** @throws DispatchError `MalformedRequest` with the filter as its field */
export function parseFilter(texts: FilterTexts, now: Instant): RowWish {
  const states = oneOf('state', texts.state, [...ROW_STATES, ...Object.keys(GROUPS)])?.flatMap(
    (state) => GROUPS[state] ?? state,
  );
  const reasons = oneOf('reason', texts.reason, REASON_CODES);
  const triggers = oneOf('trigger', texts.trigger, TRIGGERS);
  const name = texts.name === undefined ? undefined : nameMatcher(texts.name);
  const { tenant, tag } = texts;
  const matches = (row: RunRow): boolean =>
    (states?.includes(row.state) ?? true) &&
    (reasons?.includes(row.reason ?? '') ?? true) &&
    (triggers?.includes(row.trigger) ?? true) &&
    (name?.(row.name) ?? true) &&
    isWanted(tenant, row.tenant) &&
    isWanted(tag, row.tag);
  return { limit: limitIn(texts.limit), matches, ...defined({ since: sinceIn(texts.since, now) }) };
}

function isWanted(wanted: string | undefined, value: string | undefined): boolean {
  return wanted === undefined || wanted === value;
}

function oneOf(field: string, text: string | undefined, known: readonly string[]): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const values = text.split(',').map((value) => value.trim());
  const wrong = values.find((value) => !known.includes(value));
  if (wrong === undefined) return values;
  const near = nearest(wrong, known);
  const fix = near === undefined ? `must be of ${known.slice(0, 12).join(', ')}` : `did you mean '${near}'?`;
  throw malformed(field, `'${wrong}' is none: ${fix}`);
}

/** `*` stands for any text. Each part is looked for once, behind the one before it: no name and no pattern takes long. */
function nameMatcher(pattern: string): (name: string) => boolean {
  const [first = '', ...others] = pattern.split(/\*+/);
  const last = others.pop();
  if (last === undefined) return (name) => name === first;
  return (name) => {
    let from = name.startsWith(first) ? first.length : -1;
    for (const part of others) {
      const at = from < 0 ? -1 : name.indexOf(part, from);
      from = at < 0 ? -1 : at + part.length;
    }
    return from >= 0 && name.endsWith(last) && name.length - last.length >= from;
  };
}

function sinceIn(text: string | undefined, now: Instant): Instant | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  if (ago !== undefined) return now - ago;
  const at = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d))?$/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(at)) return at;
  throw malformed('since', `'${text}' must be a duration such as 2h or 7d, a day, or a time with its zone`);
}

function limitIn(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Infinity;
  if (limit <= MAX_LIMIT) return limit;
  throw malformed('limit', `'${text}' must be a number of runs, at most ${MAX_LIMIT}`);
}

export function malformed(field: string, what: string): DispatchError {
  return new DispatchError('MalformedRequest', `${field} ${what}`, { field });
}
