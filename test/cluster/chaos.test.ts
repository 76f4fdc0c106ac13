import { expect, it } from 'vitest';
import { runChaos } from '../chaos/chaos.ts';
import { table, total } from '../chaos/report.ts';
import { FLINK_VERSIONS, isLab } from './support/lab.ts';

const host = process.env['NODE_IP'];
const skipped = !isLab() || host === undefined;
if (skipped) {
  console.warn('SKIPPED: test/cluster/chaos.test.ts kills parts of the cluster: run it in test/cluster/lab/enter');
}

const LIMIT = 600_000;

it.skipIf(skipped)(
  'runs end once and leave nothing, whatever is killed under them',
  { timeout: LIMIT + 300_000 },
  async () => {
    const report = await runChaos({
      ...{
        runs: 12,
        // Upgrades of streams are for `npm run chaos`: they take minutes more.
        ...{ streams: 0, upgrades: 0, strikes: 0 },
        seed: 1,
        versions: FLINK_VERSIONS,
        host: host ?? '',
        clusters: 4,
        abreast: 12,
        askFor: LIMIT,
        limit: LIMIT,
      },
      rates: { kill: 0.2, freeze: 0.02, duplicate: 0.05 },
      note: (line) => console.log(line),
    });
    console.log(table(report));
    expect(report.violations).toEqual([]);
    expect(report.leftOver).toEqual([]);
    // Something was killed at all.
    expect(total(report.counts.killed)).toBeGreaterThan(0);
    expect(total(report.counts.restarted)).toBeGreaterThan(0);
  },
);
