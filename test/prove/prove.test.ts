import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutate } from './bundle.ts';
import { FAULT_KINDS } from './faults.ts';
import { MUTANTS } from './mutants.ts';
import SEEDS from './seeds.json' with { type: 'json' };
import { storyOf } from './story.ts';
import { play } from './world.ts';

/** Worlds of every test run; `npm run prove` plays more. */
const FRESH = 8;
const TIMEOUT = 120_000;

describe('the whole product, simulated', () => {
  it.each(SEEDS)('keeps its promises in the world of $seed, where $once', { timeout: TIMEOUT }, async ({ seed }) => {
    expect((await play({ seed })).violations).toEqual([]);
  });

  it(`keeps its promises in ${FRESH} worlds`, { timeout: TIMEOUT }, async () => {
    for (let seed = 1; seed <= FRESH; seed += 1) {
      expect((await play({ seed })).violations, `npm run prove -- --seed ${seed}`).toEqual([]);
    }
  });

  it('goes the same way whenever it is played', { timeout: TIMEOUT }, async () => {
    const first = storyOf(await play({ seed: 11, tells: true }));
    expect(storyOf(await play({ seed: 11, tells: true }))).toBe(first);
  });

  it('goes the same way when its faults are listed', { timeout: TIMEOUT }, async () => {
    const drawn = await play({ seed: 12, tells: true });
    expect(drawn.faults.length).toBeGreaterThan(0);
    expect(drawn.faults.every(({ kind }) => FAULT_KINDS.includes(kind))).toBe(true);
    expect(storyOf(await play({ seed: 12, faults: drawn.faults, tells: true }))).toBe(storyOf(drawn));
  });
});

describe('a mutant', () => {
  it.each(MUTANTS)('has its guard in the source: $name', (mutant) => {
    expect(mutate(readFileSync(mutant.file, 'utf8'), mutant)).toContain(mutant.without);
  });
});
