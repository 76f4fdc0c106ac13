import { describe, expect, it } from 'vitest';
import { firings, nextFirings, type Times } from '../../../lib/job/calendar/firings.ts';

const at = (text: string): number => Date.parse(text);
const iso = (times: Iterable<number>): readonly string[] =>
  [...times].map((time) => new Date(time).toISOString().replace(':00.000Z', 'Z'));
const cron = (fields: string, timeZone = 'UTC'): Times => ({ expression: `cron(${fields})`, timeZone });
const next = (fields: string, count = 3, from = '2026-11-21T05:00Z') => iso(nextFirings(cron(fields), at(from), count));

describe('cron', () => {
  it.each<readonly [string, readonly string[]]>([
    ['0 5 * * ? *', ['2026-11-22T05:00Z', '2026-11-23T05:00Z', '2026-11-24T05:00Z']],
    ['0/20 9-10 ? * MON-FRI *', ['2026-11-23T09:00Z', '2026-11-23T09:20Z', '2026-11-23T09:40Z']],
    ['*/30 4,5 * * ? *', ['2026-11-21T05:30Z', '2026-11-22T04:00Z', '2026-11-22T04:30Z']],
    ['0 8 L * ? *', ['2026-11-30T08:00Z', '2026-12-31T08:00Z', '2027-01-31T08:00Z']],
    ['0 8 L-3 * ? *', ['2026-11-27T08:00Z', '2026-12-28T08:00Z', '2027-01-28T08:00Z']],
    ['0 8 LW * ? *', ['2026-11-30T08:00Z', '2026-12-31T08:00Z', '2027-01-29T08:00Z']],
    ['0 8 1W * ? *', ['2026-12-01T08:00Z', '2027-01-01T08:00Z', '2027-02-01T08:00Z']],
    ['0 8 1W 5,8 ? *', ['2027-05-03T08:00Z', '2027-08-02T08:00Z', '2028-05-01T08:00Z']],
    ['0 8 ? * 6L *', ['2026-11-27T08:00Z', '2026-12-25T08:00Z', '2027-01-29T08:00Z']],
    ['0 8 ? * L *', ['2026-11-21T08:00Z', '2026-11-28T08:00Z', '2026-12-05T08:00Z']],
    ['0 8 ? * 2#1 *', ['2026-12-07T08:00Z', '2027-01-04T08:00Z', '2027-02-01T08:00Z']],
    ['0 8 ? * FRI-SUN *', ['2026-11-21T08:00Z', '2026-11-22T08:00Z', '2026-11-27T08:00Z']],
    ['30 2 29 2 ? *', ['2028-02-29T02:30Z', '2032-02-29T02:30Z']],
    ['59 23 31 12 ? 2026-2027', ['2026-12-31T23:59Z', '2027-12-31T23:59Z']],
    ['0 0 1 jan ? 2027', ['2027-01-01T00:00Z']],
  ])('%s', (fields, expected) => {
    expect(next(fields)).toEqual(expected);
  });

  it.each([
    ['0 5 * * *', 'six fields'],
    ['0 5 * * * *', 'must be ?'],
    ['0 5 ? * ? *', 'must be ?'],
    ['60 5 * * ? *', "'60' is no minutes"],
    ['0 24 * * ? *', "'24' is no hours"],
    ['0 5 ? * 0 *', "'0' is no day of week: numbers from 1 to 7, or SUN to SAT"],
    ['0 5 ? * MON#6 *', "'MON#6' is no day of week"],
    ['0 5 L-x * ? *', "'L-x' is no day of month"],
    ['*/0 5 * * ? *', "'*/0' is no minutes"],
    ['0 5 * XXX ? *', "'XXX' is no month"],
  ])('%s is refused', (fields, message) => {
    expect(() => next(fields)).toThrow(message);
  });
});

describe('on days of changing clocks', () => {
  const day = (fields: string, from: string, until: string, zone = 'Europe/Berlin') =>
    iso(firings(cron(fields, zone), at(from), at(until)));

  it('a time that is left out is no firing', () => {
    expect(day('30 2 * * ? *', '2026-03-28T00:00Z', '2026-03-31T00:00Z')).toEqual([
      '2026-03-28T01:30Z',
      '2026-03-30T00:30Z',
    ]);
  });

  it('a time that there is twice is one firing, the first', () => {
    expect(day('30 2 * * ? *', '2026-10-24T00:00Z', '2026-10-27T00:00Z')).toEqual([
      '2026-10-24T00:30Z',
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
  });

  it('hours go on, each local one once', () => {
    expect(day('0 1-3 * * ? *', '2026-03-29T00:00Z', '2026-03-29T03:00Z')).toEqual([
      '2026-03-29T00:00Z',
      '2026-03-29T01:00Z',
    ]);
    expect(day('0 1-3 * * ? *', '2026-10-24T23:00Z', '2026-10-25T03:00Z')).toEqual([
      '2026-10-24T23:00Z',
      '2026-10-25T00:00Z',
      '2026-10-25T02:00Z',
    ]);
  });

  it('of half an hour, and at midnight', () => {
    expect(day('15 2 * * ? *', '2026-10-02T00:00Z', '2026-10-05T00:00Z', 'Australia/Lord_Howe')).toEqual([
      '2026-10-02T15:45Z',
      '2026-10-04T15:15Z',
    ]);
    expect(day('0 0 * * ? *', '2026-04-22T00:00Z', '2026-04-25T12:00Z', 'Africa/Cairo')).toEqual([
      '2026-04-22T22:00Z',
      '2026-04-24T21:00Z',
    ]);
  });

  it('a part of a range has the firings of the whole that lie in it, wherever it is cut', () => {
    const [from, until] = [at('2026-10-24T00:00Z'), at('2026-10-27T00:00Z')];
    const whole = [...firings(cron('0/7 * * * ? *', 'Europe/Berlin'), from, until)];
    for (let cut = from; cut <= until; cut += 5.6 * 3_600_000) {
      const parts = [[from, cut] as const, [cut, until] as const].flatMap(([a, b]) => [
        ...firings(cron('0/7 * * * ? *', 'Europe/Berlin'), a, b),
      ]);
      expect(parts).toEqual(whole);
    }
    expect(new Set(whole).size).toBe(whole.length);
  });
});

describe('rate and at', () => {
  it('a rate counts from its start, in days of 24 hours', () => {
    const times = { expression: 'rate(1 day)', timeZone: 'Europe/Berlin', startsAt: at('2026-10-24T05:00Z') };
    expect(iso(firings(times, at('2026-10-01T00:00Z'), at('2026-10-27T00:00Z')))).toEqual([
      '2026-10-24T05:00Z',
      '2026-10-25T05:00Z',
      '2026-10-26T05:00Z',
    ]);
    expect(() => [...firings({ expression: 'rate(1 day)', timeZone: 'UTC' }, 0, 1)]).toThrow('without a start date');
  });

  it('at is once, in its zone', () => {
    const times = { expression: 'at(2026-07-01T05:00:00)', timeZone: 'Europe/Berlin' };
    expect(iso(nextFirings(times, at('2026-06-01T00:00Z'), 3))).toEqual(['2026-07-01T03:00Z']);
    expect(nextFirings(times, at('2026-08-01T00:00Z'), 3)).toEqual([]);
  });

  it.each(['rate(0 days)', 'rate(1 week)', 'at(noon)', 'daily'])('%s is refused', (expression) => {
    expect(() => nextFirings({ expression, timeZone: 'UTC', startsAt: 0 }, 0, 1)).toThrow();
  });
});
