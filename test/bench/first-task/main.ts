import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { describeError } from '../../../lib/core/errors.ts';
import { FLINK_VERSIONS } from '../../cluster/support/lab.ts';
import { startStorage } from '../../cluster/support/s3.ts';
import { openTenant } from '../../cluster/support/tenant.ts';
import { warmImage } from '../../cluster/support/warm.ts';
import { apiOfKubeconfig } from '../../contract/support/kubernetes.ts';
import { enterNetwork, START_IT } from '../enter.ts';
import { measure, type Sample } from './measure.ts';
import { jsonLine, table, type Measured } from './report.ts';
import type { Place } from './way.ts';
import { CLIENT, ours } from './ways.ts';

/**
 * From a command, or an event, to the first task that runs: a native application cluster on the lab's Kubernetes, whose
 * image is one as users have it. Ways take turns, and so do the cores that each pod may use.
 *   npm run bench:first-task [-- --rounds 10] [-- --versions 2.3.0,1.20.0] [-- --cores 0.5,1] [-- --ways run,plain]
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    versions: { type: 'string', default: FLINK_VERSIONS.join(',') },
    cores: { type: 'string', default: '0.5,1' },
    ways: { type: 'string', default: '' },
  },
});
const VERSIONS = values.versions.split(',');
const ALL = [CLIENT, ours('flink-dispatch, plain', false), ours('flink-dispatch, fastStart', 'short')];
const WAYS = ALL.filter(({ name }) => values.ways.split(',').some((way) => name.includes(way)));

process.exitCode =
  process.env['NODE_IP'] === undefined ? ((await enterNetwork(VERSIONS[0] ?? '')) ?? fail(START_IT)) : await bench();

async function bench(): Promise<number> {
  const admin = await apiOfKubeconfig();
  const [tenant, storage] = await Promise.all([openTenant(admin), startStorage()]);
  const all: Measured[] = [];
  try {
    execFileSync(join(import.meta.dirname, '..', '..', 'cluster', 'lab', 'plain-image'), VERSIONS);
    for (const flink of VERSIONS) {
      const image = `localhost/flink-plain:${flink}`;
      if (WAYS.length > 1) await warmImage(tenant, { image, version: flink, storage });
      const measured = await inTurns({ flink, image, tenant, storage });
      all.push(...measured);
      for (const one of measured) console.log(`${table(one)}\n`);
    }
    console.log(jsonLine(all));
    return 0;
  } catch (error) {
    return fail(describeError(error));
  } finally {
    await tenant.remove();
    await storage.stop();
  }
}

/** Round by round, of each number of cores every way. */
async function inTurns(place: Omit<Place, 'cores'>): Promise<readonly Measured[]> {
  const turns = values.cores.split(',').flatMap((cores) => WAYS.map((way) => ({ cores: Number(cores), way })));
  const samples = new Map<number, Sample[]>(turns.map(({ cores }) => [cores, []]));
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const { cores, way } of turns) samples.get(cores)?.push(told(await measure(way, { ...place, cores })));
  }
  return [...samples].map(([cores, own]) => ({ flink: place.flink, cores, samples: own }));
}

function told(sample: Sample): Sample {
  process.stderr.write(`${JSON.stringify(sample)}\n`);
  return sample;
}

function fail(message: string): number {
  console.error(`bench:first-task: ${message}`);
  return 1;
}
