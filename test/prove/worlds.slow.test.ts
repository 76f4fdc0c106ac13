import { expect, it } from 'vitest';
import { FAULT_KINDS } from './faults.ts';
import SEEDS from './seeds.json' with { type: 'json' };
import { storyOf } from './story.ts';
import { play } from './world.ts';

/** Worlds of every run of the slow tests, beside those in which a defect once showed; `npm run prove` plays more. */
const FRESH = 8;

it.each<{ seed: number; once: string; only?: string }>(SEEDS)(
  'keeps its promises in the world of $seed, where $once',
  async ({ seed, only }) => {
    expect((await play({ seed, only: only === 'deployments' ? only : undefined })).violations).toEqual([]);
  },
);

it(`keeps its promises in ${FRESH} worlds`, async () => {
  for (let seed = 1; seed <= FRESH; seed += 1) {
    expect((await play({ seed })).violations, `npm run prove -- --seed ${seed}`).toEqual([]);
  }
});

it('goes the same way whenever it is played', async () => {
  const first = storyOf(await play({ seed: 11, tells: true }));
  expect(storyOf(await play({ seed: 11, tells: true }))).toBe(first);
});

it('goes the same way when its faults are listed', async () => {
  const drawn = await play({ seed: 12, tells: true });
  expect(drawn.faults.length).toBeGreaterThan(0);
  expect(drawn.faults.every(({ kind }) => FAULT_KINDS.includes(kind))).toBe(true);
  expect(storyOf(await play({ seed: 12, faults: drawn.faults, tells: true }))).toBe(storyOf(drawn));
});
