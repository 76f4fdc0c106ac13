import { DispatchError } from '../../core/errors.ts';

/** A cron expression as EventBridge Scheduler reads it: minutes, hours, day of month, month, day of week, year. */
export interface Cron {
  /** Minutes of a day, in order. */
  readonly minutes: readonly number[];
  /** Whether it fires on a day of the calendar; `month` from 1. */
  readonly isDay: (year: number, month: number, day: number) => boolean;
  readonly isYear: (year: number) => boolean;
}

interface Part {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** What stands for numbers, from `from`. */
  readonly words?: readonly string[];
}

const MINUTE: Part = { name: 'minutes', from: 0, to: 59 };
const HOUR: Part = { name: 'hours', from: 0, to: 23 };
const DAY: Part = { name: 'day of month', from: 1, to: 31 };
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const MONTH: Part = { name: 'month', from: 1, to: 12, words: MONTHS };
const WEEKDAY: Part = {
  name: 'day of week',
  from: 1,
  to: 7,
  words: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
};
const YEAR: Part = { name: 'year', from: 1970, to: 2199 };

/** @throws DispatchError `MalformedRequest`, naming the field and what it takes */
export function parseCron(text: string): Cron {
  const fields = text.trim().split(/\s+/);
  const [minute, hour, day, month, weekday, year] = fields;
  if (fields.length !== 6 || year === undefined) {
    throw malformed(text, 'must have six fields: minutes, hours, day of month, month, day of week, year');
  }
  if ((day === '?') === (weekday === '?')) throw malformed(text, 'one of day and weekday, and no more, must be ?');
  const minutes = [...valuesOf(minute, MINUTE)].sort((a, b) => a - b);
  const hours = [...valuesOf(hour, HOUR)].sort((a, b) => a - b);
  const months = valuesOf(month, MONTH);
  const days = weekday === '?' ? daysOfMonth(day ?? '') : daysOfWeek(weekday ?? '');
  const years = valuesOf(year, YEAR);
  return {
    minutes: hours.flatMap((one) => minutes.map((of) => one * 60 + of)),
    isDay: (ofYear, ofMonth, ofDay) =>
      months.has(ofMonth) && days.some((isDay) => isDay({ year: ofYear, month: ofMonth, day: ofDay })),
    isYear: (one) => years.has(one),
  };
}

/** Any eight years but those around 1900 and 2100 have each date of the calendar. */
const YEARS = { from: Date.UTC(2024, 0, 1), days: 8 * 366 };

/** False for a day that no calendar has: 30 February. */
export function everFires({ isDay }: Cron): boolean {
  return Array.from({ length: YEARS.days }, (_, n) => new Date(YEARS.from + n * 86_400_000)).some((on) =>
    isDay(on.getUTCFullYear(), on.getUTCMonth() + 1, on.getUTCDate()),
  );
}

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}
type DayRule = (day: Day) => boolean;

function daysOfMonth(field: string): readonly DayRule[] {
  return field.split(',').map((item): DayRule => {
    if (item === 'LW') return (on) => on.day === nearestWeekday(on, lastOf(on));
    const [, before] = /^L(?:-(\d{1,2}))?$/.exec(item) ?? [];
    if (item.startsWith('L')) {
      if (item !== 'L' && before === undefined) throw wrong(item, DAY);
      return (on) => on.day === lastOf(on) - Number(before ?? 0);
    }
    const [, near] = /^(\d{1,2})W$/.exec(item) ?? [];
    if (near !== undefined) {
      const wanted = valueIn(near, DAY, item);
      return (on) => wanted <= lastOf(on) && on.day === nearestWeekday(on, wanted);
    }
    const values = valuesOf(item, DAY);
    return ({ day }) => values.has(day);
  });
}

function daysOfWeek(field: string): readonly DayRule[] {
  return field.split(',').map((item): DayRule => {
    if (item === 'L') return (on) => weekdayOf(on) === WEEKDAY.to;
    const [, last] = /^(\w+)L$/.exec(item) ?? [];
    if (last !== undefined) {
      const wanted = valueIn(last, WEEKDAY, item);
      return (on) => weekdayOf(on) === wanted && on.day > lastOf(on) - 7;
    }
    const [, named, which] = /^(\w+)#([1-5])$/.exec(item) ?? [];
    if (named !== undefined) {
      const wanted = valueIn(named, WEEKDAY, item);
      return (on) => weekdayOf(on) === wanted && Math.ceil(on.day / 7) === Number(which);
    }
    const values = valuesOf(item, WEEKDAY);
    return (on) => values.has(weekdayOf(on));
  });
}

/** Of `*`, numbers or words, ranges, steps, and lists of these. A range may pass the end: FRI-MON. */
function valuesOf(field: string | undefined, part: Part): ReadonlySet<number> {
  const items = (field ?? '').split(',').flatMap((item) => {
    const [, first = '', last, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d{1,4}))?$/.exec(item) ?? [];
    if (first === '' || (first === '*' && last !== undefined)) throw wrong(item, part);
    const from = first === '*' ? part.from : valueIn(first, part, item);
    const to = last === undefined ? (first === '*' || step !== undefined ? part.to : from) : valueIn(last, part, item);
    const by = Number(step ?? 1);
    if (by === 0) throw wrong(item, part);
    const size = part.to - part.from + 1;
    const length = to >= from ? to - from : to - from + size;
    const count = Math.floor(length / by) + 1;
    return Array.from({ length: count }, (_, index) => part.from + ((from - part.from + index * by) % size));
  });
  return new Set(items);
}

function valueIn(text: string, part: Part, item: string): number {
  const word = part.words?.indexOf(text.toUpperCase()) ?? -1;
  const value = word >= 0 ? word + part.from : /^\d{1,4}$/.test(text) ? Number(text) : NaN;
  if (value >= part.from && value <= part.to) return value;
  throw wrong(item, part);
}

function weekdayOf({ year, month, day }: Day): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;
}

function lastOf({ year, month }: Day): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Monday to Friday, in the same month. */
function nearestWeekday(on: Day, wanted: number): number {
  const weekday = weekdayOf({ ...on, day: wanted });
  if (weekday === 7) return wanted === 1 ? wanted + 2 : wanted - 1;
  if (weekday === 1) return wanted === lastOf(on) ? wanted - 2 : wanted + 1;
  return wanted;
}

function wrong(item: string, { name, from, to, words }: Part): DispatchError {
  const named = words === undefined ? '' : `, or ${words[0] ?? ''} to ${words.at(-1) ?? ''}`;
  const message = `cron: '${item}' is no ${name}: numbers from ${from} to ${to}${named}, ranges, steps and lists of them`;
  return new DispatchError('MalformedRequest', message, { field: 'cron' });
}

function malformed(text: string, what: string): DispatchError {
  return new DispatchError('MalformedRequest', `cron '${text}': ${what}`, { field: 'cron' });
}
