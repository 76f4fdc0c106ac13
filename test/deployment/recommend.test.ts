import { describe, expect, it } from 'vitest';
import { recent, recommend, sampleEvery, type LoadSample } from '../../lib/deployment/scale/recommend.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const RULE = { min: 2, max: 8, target: 0.7, window: MINUTE };

/** Noise that is the same each time: within a tenth. */
function noise(step: number): number {
  return 1 + 0.1 * Math.sin(step * 7.3);
}

interface Change {
  readonly at: number;
  readonly parallelism: number;
}

/**
 * A job over so many minutes: what comes in is in subtasks that work all of their time; what is not done piles up. Another
 * parallelism takes ten seconds to come true, in which nothing is done.
 */
function play(minutes: number, load: (minute: number) => number, rule = RULE): readonly Change[] {
  const changes: Change[] = [];
  const every = sampleEvery(rule);
  let [parallelism, backlog, pausedUntil, changedAt] = [rule.min, 0, 0, -Infinity];
  let samples: readonly LoadSample[] = [];
  for (let at = every; at <= minutes * MINUTE; at += every) {
    const coming = load(at / MINUTE) * noise(at / every);
    if (at < pausedUntil) {
      backlog += coming;
      continue;
    }
    const done = Math.min(parallelism, coming + backlog);
    backlog += coming - done;
    const busy = done / parallelism;
    samples = recent([...samples, { at, parallelism, busy, held: busy }], rule);
    const wanted = recommend(samples, rule);
    if (wanted === undefined || at - changedAt < rule.window) continue;
    [parallelism, pausedUntil, changedAt] = [wanted, at + 10 * SECOND, at];
    changes.push({ at, parallelism });
  }
  return changes;
}

function expectSteady(changes: readonly Change[]): void {
  for (const { parallelism } of changes) expect(parallelism >= RULE.min && parallelism <= RULE.max).toBe(true);
  const gaps = changes.slice(1).map(({ at }, index) => at - (changes[index]?.at ?? 0));
  expect(gaps.every((gap) => gap >= RULE.window)).toBe(true);
}

describe('a job of twenty minutes', () => {
  it('whose load grows four-fold and goes again has more subtasks within three minutes, and fewer later', () => {
    const changes = play(20, (minute) => (minute >= 5 && minute < 12 ? 4.4 : 1.1));
    expectSteady(changes);
    const numbers = changes.map(({ parallelism }) => parallelism);
    const top = Math.max(...numbers);
    expect(top * RULE.target).toBeGreaterThanOrEqual(4.4);
    const upAt = changes.find(({ parallelism }) => parallelism * 0.9 >= 4.4)?.at ?? Infinity;
    expect(upAt - 5 * MINUTE).toBeLessThanOrEqual(3 * MINUTE);
    expect(numbers.at(-1)).toBe(RULE.min);
    // Up, then down: never up again.
    const turns = numbers
      .slice(1)
      .filter((number, index) => number > (numbers[index] ?? 0) && index >= numbers.indexOf(top));
    expect(turns).toEqual([]);
    expect(changes.length).toBeLessThanOrEqual(5);
  });

  it('whose load is the same stays as it is once it fits', () => {
    for (const load of [0.3, 1, 1.4, 2, 2.9, 3.5, 4, 5]) {
      const changes = play(20, () => load);
      expectSteady(changes);
      const late = changes.filter(({ at }) => at > 8 * MINUTE);
      expect(late, `load ${load}: ${JSON.stringify(changes)}`).toEqual([]);
    }
  });

  it('whose load comes and goes every minute is not followed', () => {
    const changes = play(20, (minute) => (Math.floor(minute) % 2 === 0 ? 2.4 : 0.4));
    expect(changes.length).toBeLessThanOrEqual(1);
  });

  it('that would need more than it may have has as many as it may', () => {
    const changes = play(20, () => 40);
    expect(changes.at(-1)?.parallelism).toBe(8);
    expectSteady(changes);
  });
});

describe('a recommendation', () => {
  const samples = (count: number, change: Partial<LoadSample> = {}): readonly LoadSample[] =>
    Array.from({ length: count }, (_, index) => ({
      ...{ at: index * 15 * SECOND, parallelism: 4, busy: 0.5, held: 0.5 },
      ...change,
    }));

  it('needs a whole window of samples', () => {
    expect(recommend([], RULE)).toBeUndefined();
    expect(recommend(samples(4, { busy: 1 }), RULE)).toBeUndefined();
    expect(recommend(samples(5, { busy: 1 }), RULE)).toBe(8);
    expect(recommend(samples(5, { busy: 0.1, held: 0.1 }), RULE)).toBeUndefined();
    expect(recommend(samples(13, { busy: 0.1, held: 0.1 }), RULE)).toBe(2);
  });

  it('rests on the present parallelism alone', () => {
    const before = samples(12, { parallelism: 2, busy: 1 });
    const now = samples(2, { busy: 1 }).map((one) => ({ ...one, at: one.at + 3 * MINUTE }));
    expect(recommend([...before, ...now], RULE)).toBeUndefined();
    expect(recent([...before, ...now], RULE)).toEqual(now);
  });

  it('rests on nothing before a time in which nobody asked', () => {
    const [before, after] = [samples(5, { busy: 1 }), samples(3, { busy: 1 })];
    const later = (seconds: number) => after.map((one) => ({ ...one, at: one.at + seconds * SECOND }));
    expect(recommend([...before, ...later(60 + 45)], RULE)).toBe(8);
    expect(recommend([...before, ...later(60 + 46)], RULE)).toBeUndefined();
  });

  it('is the least that every sample asks for', () => {
    const rising = samples(5).map((one, index) => ({ ...one, busy: 0.8 + 0.03 * index }));
    expect(recommend(rising, RULE)).toBe(5);
    const once = rising.map((one, index) => (index === 2 ? { ...one, busy: 0.7 } : one));
    expect(recommend(once, RULE)).toBeUndefined();
  });

  it('takes none away from a job that is held back by what follows', () => {
    expect(recommend(samples(13, { busy: 0.1, held: 0.95 }), RULE)).toBeUndefined();
  });

  it('leaves alone what is near the target', () => {
    for (const busy of [0.6, 0.65, 0.7, 0.76]) {
      expect(recommend(samples(13, { busy, held: busy }), RULE), String(busy)).toBeUndefined();
    }
  });
});
