import type { Duration, Instant } from '../../core/clock.ts';
import { DispatchError } from '../../core/errors.ts';
import { instantsOf, wallTime } from '../spec/zoned-time.ts';
import { parseCron, type Cron } from './cron.ts';

/** A schedule of EventBridge Scheduler, as far as its times go. */
export interface Times {
  /** `cron(…)`, `rate(…)` or `at(…)`. */
  readonly expression: string;
  /** IANA name. */
  readonly timeZone: string;
  /** When a rate begins: it fires then, and at each whole number of steps later. */
  readonly startsAt?: Instant;
}

const DAY: Duration = 86_400_000;
const UNITS: Readonly<Record<string, Duration>> = { minute: 60_000, hour: 3_600_000, day: DAY };
/** Days in which a rare cron expression, such as one of 29 February, is looked for. */
const HORIZON = 3_000;

/**
 * The times at which a schedule fires, from `from` to before `until`, in order: those of EventBridge Scheduler. A local time
 * that a change of clocks leaves out is left out, one that it has twice is taken once, the first time; days of a rate are of
 * 24 hours.
 * @throws DispatchError `MalformedRequest` for an expression that is none, and for a rate of which nobody knows the begin
 */
export function* firings(times: Times, from: Instant, until: Instant): Generator<Instant> {
  const [, kind, inside = ''] = /^(cron|rate|at)\((.*)\)$/.exec(times.expression.trim()) ?? [];
  if (kind === 'cron') {
    yield* ofCron(parseCron(inside), times.timeZone, from, until);
    return;
  }
  const all = kind === 'rate' ? ofRate(inside, times, from, until) : kind === 'at' ? once(inside, times) : undefined;
  if (all === undefined) throw malformed(`'${times.expression}' must be cron(…), rate(…) or at(…)`);
  for (const at of all) if (at >= from && at < until) yield at;
}

/** The next few, after `now`. */
export function nextFirings(times: Times, now: Instant, count: number): readonly Instant[] {
  const found: Instant[] = [];
  for (const at of firings(times, now + 1, now + HORIZON * DAY)) {
    found.push(at);
    if (found.length === count) break;
  }
  return found;
}

function* ofCron(
  { minutes, isDay, isYear }: Cron,
  timeZone: string,
  from: Instant,
  until: Instant,
): Generator<Instant> {
  const first = Math.floor(wallTime(from, timeZone) / DAY) * DAY;
  const last = wallTime(until, timeZone) + DAY;
  for (let day = first; day <= last; day += DAY) {
    const date = new Date(day);
    const year = date.getUTCFullYear();
    if (!isYear(year) || !isDay(year, date.getUTCMonth() + 1, date.getUTCDate())) continue;
    // Times of one day are in order but where clocks are set back: the first of two is before what lies between.
    const steady = steadyOffset(day, timeZone);
    const times = minutes.flatMap((minute) => {
      const wall = day + minute * 60_000;
      return steady === undefined ? (instantsOf(wall, timeZone)[0] ?? []) : wall - steady;
    });
    for (const at of times.sort((a, b) => a - b)) if (at >= from && at < until) yield at;
  }
}

/** What the zone is ahead of UTC all that day; undefined for a day near a change. */
function steadyOffset(day: Instant, timeZone: string): Duration | undefined {
  const [before, after] = [day - DAY, day + 2 * DAY].map((at) => wallTime(at, timeZone) - at);
  return before === after ? before : undefined;
}

function* ofRate(inside: string, { startsAt }: Times, from: Instant, until: Instant): Generator<Instant> {
  const [, count, unit = ''] = /^([1-9]\d{0,4}) (minute|hour|day)s?$/.exec(inside) ?? [];
  const step = Number(count) * (UNITS[unit] ?? NaN);
  if (Number.isNaN(step)) throw malformed(`rate(${inside}) must be a number and minutes, hours or days`);
  if (startsAt === undefined) {
    throw malformed('a rate without a start date fires from the moment of its making, which nobody knows exactly');
  }
  const first = startsAt + Math.max(0, Math.ceil((from - startsAt) / step)) * step;
  for (let at = first; at < until; at += step) yield at;
}

function once(inside: string, { timeZone }: Times): readonly Instant[] {
  const wall = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(inside) ? Date.parse(`${inside}Z`) : NaN;
  if (Number.isNaN(wall)) throw malformed(`at(${inside}) must be a time: at(2026-11-21T05:00:00)`);
  return instantsOf(wall, timeZone).slice(0, 1);
}

function malformed(message: string): DispatchError {
  return new DispatchError('MalformedRequest', message, { field: 'expression' });
}
