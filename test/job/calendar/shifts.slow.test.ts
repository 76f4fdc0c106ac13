import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { shiftInstant } from '../../../lib/job/spec/zoned-time.ts';

/** Made by Shifts.java beside it: all zones of the tz database with a change in 2016 to 2035. */
const lines = gunzipSync(readFileSync(new URL('shifts.txt.gz', import.meta.url)))
  .toString('utf8')
  .trim()
  .split('\n');

/** Every case of java.time takes minutes; each run looks at one of this many, in every zone. */
const STEP = 7;

/** Zones whose rules the tz database of Node 24 has newer than that of the Java that made the cases. */
const NEWER_RULES = new Set([
  ...['Africa/Casablanca', 'Africa/El_Aaiun', 'America/Edmonton', 'America/Inuvik', 'America/Rainy_River'],
  ...['America/Vancouver', 'America/Winnipeg', 'America/Yellowknife', 'Canada/Central', 'Canada/Mountain'],
  ...['Canada/Pacific', 'Europe/Chisinau', 'Europe/Tiraspol'],
]);

it('shifts by days as java.time does, in every zone', { timeout: 120_000 }, () => {
  const wrong: string[] = [];
  for (const line of lines) {
    const [zone = '', ...cases] = line.split(' ');
    if (NEWER_RULES.has(zone)) continue;
    for (const one of cases.filter((_, i) => i % STEP === 0)) {
      const [start = NaN, count = NaN, moved = NaN] = one.split(',').map(Number);
      const got = shiftInstant(start * 1000, { count, unit: 'd' }, zone) / 1000 - start;
      if (got !== moved) wrong.push(`${zone} ${new Date(start * 1000).toISOString()} ${count}d: ${got}, not ${moved}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(lines.length).toBeGreaterThan(200);
});
