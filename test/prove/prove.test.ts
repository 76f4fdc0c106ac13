import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutate } from './bundle.ts';
import { MUTANTS, TESTED } from './mutants.ts';
import { play } from './world.ts';

describe('the whole product, simulated', () => {
  it('keeps its promises in one world', async () => {
    const { violations, runs } = await play({ seed: 1 });
    expect(violations).toEqual([]);
    expect(runs).toBeGreaterThan(0);
  });
});

describe('a mutant', () => {
  it.each([...MUTANTS, ...TESTED])('has its guard in the source: $name', (mutant) => {
    expect(mutate(readFileSync(mutant.file, 'utf8'), mutant)).toContain(mutant.without);
  });
});
