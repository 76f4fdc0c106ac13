import type { Instant } from '../../core/clock.ts';

/** Days are calendar days of the time zone, 23 to 25 hours long; all other units are of fixed length. */
export interface Shift {
  readonly count: number;
  readonly unit: 's' | 'm' | 'h' | 'd';
}

const DAY = 86_400_000;
const FIXED = { s: 1000, m: 60_000, h: 3_600_000 } as const;

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** To make one takes a hundred times as long as to use it. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const numeric = 'numeric' as const;
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, hourCycle: 'h23', year: numeric, month: numeric, day: numeric },
      ...{ hour: numeric, minute: numeric, second: numeric },
    });
  formats.set(timeZone, format);
  return format;
}

/** Milliseconds that the zone's clocks are ahead of UTC at that instant. */
function offsetAt(instant: Instant, timeZone: string): number {
  const parts = formatOf(timeZone).formatToParts(instant);
  const at = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second'));
  return wall - Math.floor(instant / 1000) * 1000;
}

/** What the zone's clocks show then, as milliseconds as if it were UTC. */
export function wallTime(instant: Instant, timeZone: string): number {
  return instant + offsetAt(instant, timeZone);
}

/** When the zone's clocks show that: once, twice where they are set back, never where they are set forward. The first one first. */
export function instantsOf(wall: number, timeZone: string): readonly Instant[] {
  const offsets = new Set([offsetAt(wall - DAY, timeZone), offsetAt(wall + DAY, timeZone)]);
  const fitting = [...offsets].filter((offset) => offsetAt(wall - offset, timeZone) === offset);
  return fitting.map((offset) => wall - offset).sort((a, b) => a - b);
}

/**
 * As java.time's ZonedDateTime.plusDays: the same local time on the other day. One that a gap leaves out is later by the
 * length of the gap; of one that an overlap has twice, the offset of before is kept, else the earlier one is taken.
 */
export function shiftInstant(instant: Instant, { count, unit }: Shift, timeZone: string): Instant {
  if (unit !== 'd') return instant + count * FIXED[unit];
  const own = offsetAt(instant, timeZone);
  const wall = instant + own + count * DAY;
  const offsets = [own, offsetAt(wall - DAY, timeZone), offsetAt(wall + DAY, timeZone)];
  const fitting = offsets.filter((offset) => offsetAt(wall - offset, timeZone) === offset);
  if (fitting.includes(own)) return wall - own;
  if (fitting.length > 0) return wall - Math.max(...fitting);
  // in a gap: the offset of before it makes the time later by its length
  return wall - (offsets[1] ?? own);
}

const TOKEN = /yyyy|MM|dd|HH|mm|ss|SSS|XXX/g;

/** Of `yyyy MM dd HH mm ss SSS XXX` and separators, in the zone's own time; `undefined` for any other letter. */
export function formatInstant(instant: Instant, format: string, timeZone: string): string | undefined {
  if (format === 'epochMillis') return String(instant);
  if (format === 'epochSeconds') return String(Math.floor(instant / 1000));
  if (!/^[-/_:.,T ]*$/.test(format.replace(TOKEN, ''))) return undefined;
  const offset = offsetAt(instant, timeZone);
  const iso = new Date(instant + offset).toISOString();
  const values: Readonly<Record<string, string>> = {
    yyyy: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    dd: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19),
    SSS: iso.slice(20, 23),
    XXX: offsetText(offset),
  };
  return format.replace(TOKEN, (token) => values[token] ?? token);
}

function offsetText(offset: number): string {
  if (offset === 0) return 'Z';
  const minutes = Math.abs(Math.round(offset / 60_000));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
