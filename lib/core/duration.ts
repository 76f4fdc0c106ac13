import type { Duration } from './clock.ts';

/** The unit labels of org.apache.flink.util.TimeUtils, in milliseconds. */
const UNITS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  s: 1000,
  sec: 1000,
  secs: 1000,
  second: 1000,
  seconds: 1000,
  ms: 1,
  milli: 1,
  millis: 1,
  millisecond: 1,
  milliseconds: 1,
};

const FLINK = /^(\d+)\s*([a-z]+)$/;
const ISO = /^p(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d{1,3})?)s)?)?$/;
const MAX: Duration = 366 * 86_400_000;

/**
 * Milliseconds of `90s`, `10 min`, `1h` (Flink's units, always with one) or ISO-8601 `PT1H30M`, up to a year.
 * `undefined` for anything else.
 */
export function parseDuration(text: string): Duration | undefined {
  const lower = text.trim().toLowerCase();
  const value = fromUnits(lower) ?? fromIso(lower);
  return value === undefined || value > MAX ? undefined : Math.round(value);
}

function fromUnits(text: string): number | undefined {
  const [, count, label] = FLINK.exec(text) ?? [];
  if (count === undefined || label === undefined || !Object.hasOwn(UNITS, label)) return undefined;
  return Number(count) * (UNITS[label] ?? NaN);
}

function fromIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null || match.slice(1).every((part) => part === undefined)) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (days ?? 0) * 86_400_000 + (hours ?? 0) * 3_600_000 + (minutes ?? 0) * 60_000 + (seconds ?? 0) * 1000;
}
