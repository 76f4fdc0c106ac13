import { expect, it } from 'vitest';
import { shiftInstant } from '../../../lib/job/spec/zoned-time.ts';

it.each([
  ['2026-04-24T21:30:00Z', 'Africa/Cairo', '2026-04-23T22:30:00Z'],
  ['2026-03-29T21:10:00Z', 'Asia/Beirut', '2026-03-28T22:10:00Z'],
  ['2026-09-07T03:30:00Z', 'America/Santiago', '2026-09-06T04:30:00Z'],
  ['2026-03-09T04:30:00Z', 'America/Havana', '2026-03-08T05:30:00Z'],
  ['2026-03-30T00:20:00Z', 'Atlantic/Azores', '2026-03-29T01:20:00Z'],
])('%s in %s, a day earlier', (at, zone, expected) => {
  expect(new Date(shiftInstant(Date.parse(at), { count: -1, unit: 'd' }, zone)).toISOString()).toBe(
    expected.replace('Z', '.000Z'),
  );
});
