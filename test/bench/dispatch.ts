import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../lib/kubernetes/access/kubeconfig.ts';
import { describeError } from '../../lib/core/errors.ts';
import { buildCli } from '../../infra/build-cli.mjs';
import { enterNetwork, START_IT } from './enter.ts';
import { openPlace, type Place } from './place.ts';
import { jsonLine, summarise, table, type Samples } from './report.ts';
import { createWays, FLINK_VERSION, type Way } from './ways.ts';

/**
 * How long it takes to create an application cluster: Flink's own client, this product as a process and in a warm
 * function, and the least that four requests take. One run measures all four in turns, inside the network of the local
 * cluster, so that what else the machine does meets all of them. `--strict`: exit code 1 when a goal is missed.
 */
process.exitCode =
  process.env['NODE_IP'] === undefined ? ((await enterNetwork(FLINK_VERSION)) ?? fail(START_IT)) : await bench();

async function bench(): Promise<number> {
  const connection = await kubeconfigConnection({ files: kubeconfigFiles(process.env) });
  const api = createKubernetesApi(connection);
  const ready = await api.request({ method: 'GET', path: '/readyz', timeout: 3_000 }).catch(() => undefined);
  if (ready?.status !== 200) return fail(START_IT);
  await buildCli();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  const place = await openPlace(api);
  const logs = mkdtempSync(join(tmpdir(), 'bench-dispatch-'));
  try {
    const ways = await createWays(connection, api, { namespace: place.namespace, logs });
    const samples = await measure(ways, place, interrupted.signal);
    const summary = summarise(samples);
    console.log(`${table(summary)}\n\n${jsonLine(summary, FLINK_VERSION)}`);
    return process.argv.includes('--strict') && !summary.pass ? 1 : 0;
  } catch (error) {
    return fail(interrupted.signal.aborted ? 'interrupted' : describeError(error));
  } finally {
    rmSync(logs, { recursive: true, force: true });
    await place.close();
  }
}

/** All ways in turns, each round beginning with another one; the first rounds warm up and do not count. */
async function measure(ways: readonly Way[], place: Place, interrupted: AbortSignal): Promise<Samples> {
  const rounds = Math.max(...ways.map(({ samples }) => samples));
  const times: Record<Way['name'], number[]> = { client: [], process: [], warm: [], floor: [] };
  for (let round = -Math.max(...ways.map(({ warmUps }) => warmUps)); round < rounds; round += 1) {
    for (const index of ways.keys()) {
      const way = ways[(index + Math.abs(round)) % ways.length];
      if (way === undefined || !isDue(way, round, rounds)) continue;
      if (interrupted.aborted) throw new Error('interrupted');
      const took = await sample(way, `${way.name}-${round < 0 ? `w${-round}` : round}`, place);
      if (round >= 0) times[way.name].push(took);
    }
    progress(round, rounds);
  }
  return times;
}

/** A way with fewer samples takes them evenly over the rounds. */
function isDue({ samples, warmUps }: Way, round: number, rounds: number): boolean {
  return round < 0 ? -round <= warmUps : round % Math.ceil(rounds / samples) === 0;
}

async function sample(way: Way, clusterId: string, place: Place): Promise<number> {
  const create = way.prepare(clusterId);
  const start = performance.now();
  await create();
  const took = performance.now() - start;
  await place.expectCluster(clusterId);
  await place.removeCluster(clusterId);
  return took;
}

function progress(round: number, rounds: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${round < 0 ? 'warming up' : `round ${round + 1}/${rounds}`}   \r`);
}

function fail(message: string): number {
  console.error(`bench:dispatch: ${message}`);
  return 1;
}
