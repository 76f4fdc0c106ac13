import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { describeError } from '../../../lib/core/errors.ts';
import { FLINK_VERSIONS, LAB } from '../../cluster/support/lab.ts';
import { STATE_BUCKET, startStorage } from '../../cluster/support/s3.ts';
import { openUploads } from '../../cluster/support/streams.ts';
import { openTenant } from '../../cluster/support/tenant.ts';
import { apiOfKubeconfig } from '../../contract/support/kubernetes.ts';
import { downtime, goesOnExactly } from '../../counter/account.ts';
import { buildCounters } from '../../counter/counter.ts';
import { startWitness } from '../../counter/witness.ts';
import { enterNetwork, START_IT } from '../enter.ts';
import { jsonLine, table, type Sample } from './report.ts';
import { ours } from './ours.ts';
import { script } from './rival.ts';
import type { Place, StreamWay, Version } from './way.ts';

/**
 * For how long a stream stands still while its program is changed: from the last number of the old job to the first of
 * the new one, as the witness hears them. Ways take turns; each keeps one stream for all its upgrades.
 *   npm run bench:upgrade [-- --rounds 5] [-- --version 2.3.0] [-- --ways stop,plain,prepared]
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    ways: { type: 'string' },
    version: { type: 'string', default: FLINK_VERSIONS[0] ?? '' },
  },
});
const PAUSE_MS = 20;
const PATIENCE = 240;
const STATE = {
  'execution.checkpointing.interval': '10 s',
  'execution.checkpointing.dir': `s3://${STATE_BUCKET}/checkpoints`,
  'execution.checkpointing.savepoint-dir': `s3://${STATE_BUCKET}/savepoints`,
};

process.exitCode =
  process.env['NODE_IP'] === undefined ? ((await enterNetwork(values.version)) ?? fail(START_IT)) : await bench();

interface Stream {
  readonly way: StreamWay;
  readonly witness: Awaited<ReturnType<typeof startWitness>>;
}

async function bench(): Promise<number> {
  const { version: flink } = values;
  const admin = await apiOfKubeconfig();
  const [tenant, storage] = await Promise.all([openTenant(admin), startStorage()]);
  const streams: Stream[] = [];
  try {
    await openUploads(storage);
    const jars = await buildCounters(join(LAB, 'flink', flink), ['first', 'changed']);
    const options = { ...storage.stateOptions(flink), ...STATE };
    for (const way of await waysOf({ flink, tenant, storage, jars, options })) {
      streams.push({ way, witness: await startWitness(process.env['NODE_IP'] ?? '') });
    }
    const samples = await measure(streams);
    console.log(table(samples, flink));
    console.log(jsonLine(samples, flink));
    return samples.some(({ faults }) => faults.length > 0) ? 1 : 0;
  } catch (error) {
    return fail(describeError(error));
  } finally {
    for (const { way, witness } of streams) {
      await way.stop().catch(() => undefined);
      await witness.stop();
    }
    await tenant.remove();
    await storage.stop();
  }
}

async function waysOf(place: Place): Promise<readonly StreamWay[]> {
  const all = [await script(place), ours(place, 'plain'), ours(place, 'prepared')];
  const { ways } = values;
  return ways === undefined ? all : all.filter(({ name }) => ways.split(',').some((way) => name.includes(way)));
}

async function measure(streams: readonly Stream[]): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const stream of streams) await begin(stream);
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const stream of streams) samples.push(await upgrade(stream, round % 2 === 1 ? 'changed' : 'first'));
  }
  return samples;
}

function argsOf({ witness }: Stream): readonly string[] {
  return [witness.url, String(PAUSE_MS)];
}

async function begin(stream: Stream): Promise<void> {
  await stream.way.start('first', argsOf(stream));
  await warm(stream, 1);
}

/** It has counted for a while, and has a complete checkpoint: what a stream is like when it is changed. */
async function warm({ way, witness }: Stream, lives: number): Promise<void> {
  await witness.until(`life ${lives} of ${way.name} counts`, PATIENCE, (account) => {
    const life = account.lives[lives - 1];
    return account.lives.length === lives && life?.checkpoint !== undefined;
  });
}

async function upgrade(stream: Stream, version: Version): Promise<Sample> {
  const { way, witness } = stream;
  const before = witness.account.lives.length;
  const begun = Date.now();
  await way.upgrade(version, argsOf(stream), witness.account.lives.at(-1)?.job ?? '');
  await warm(stream, before + 1);
  const { lives, faults } = witness.account;
  const [old, young] = lives.slice(-2);
  if (old === undefined || young === undefined) throw new Error(`${way.name}: no second job was heard`);
  const ms = downtime(old, young) ?? NaN;
  const whole = (young.first?.at ?? NaN) - begun;
  process.stderr.write(`${way.name}: ${ms} ms without a number, ${whole} ms since the request\n`);
  return { way: way.name, ms, whole, exact: goesOnExactly(old, young), faults };
}

function fail(message: string): number {
  console.error(`bench:upgrade: ${message}`);
  return 1;
}
