import { expect, it } from 'vitest';
import { play } from '../world.ts';

const WORLDS = 40;

it(`deployments keep what is promised in ${WORLDS} worlds`, async () => {
  let upgrades = 0;
  for (let seed = 1; seed <= WORLDS; seed += 1) {
    const result = await play({ seed, only: 'deployments' });
    expect(result.violations, `npm run prove -- --deployments --seed ${seed}`).toEqual([]);
    upgrades += result.upgrades;
  }
  expect(upgrades).toBeGreaterThan(WORLDS);
});
