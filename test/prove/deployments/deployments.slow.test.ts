import { expect, it } from 'vitest';
import { playDeployment } from './deployment-world.ts';

const WORLDS = Number(process.env['DEPLOYMENT_WORLDS'] ?? 150);
const FROM = Number(process.env['DEPLOYMENT_FROM'] ?? 1);

it(`${WORLDS} worlds of deployments keep what is promised`, async () => {
  const totals = { runs: 0, upgrades: 0, faults: 0 };
  const failed: string[] = [];
  for (let seed = FROM; seed < FROM + WORLDS; seed += 1) {
    const { violations, runs, upgrades, faults } = await playDeployment(seed);
    totals.runs += runs;
    totals.upgrades += upgrades;
    totals.faults += faults;
    failed.push(...violations.slice(0, 3).map((violation) => `seed ${seed}: ${violation}`));
  }
  console.log(`${WORLDS} worlds from seed ${FROM}: ${JSON.stringify(totals)}`);
  expect(failed.slice(0, 30)).toEqual([]);
  expect(totals.upgrades).toBeGreaterThan(WORLDS / 4);
});
