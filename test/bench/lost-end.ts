import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { describeError } from '../../lib/core/errors.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import { Run } from '../cluster/support/dispatcher.ts';
import { eventually } from '../cluster/support/eventually.ts';
import { jobOf, WORD_COUNT } from '../cluster/support/jobs.ts';
import { FLINK_VERSIONS, killPod, kubectl } from '../cluster/support/lab.ts';
import { createPool } from '../cluster/support/pool.ts';
import { openTenant, type Tenant } from '../cluster/support/tenant.ts';
import { apiOfKubeconfig } from '../contract/support/kubernetes.ts';
import { enterNetwork, START_IT } from './enter.ts';

/**
 * What is said of a job that finished when its JobManager goes in the second before the next look, without high
 * availability. When in that second it goes is spread evenly over the samples.
 */
const USAGE = 'usage: npm run bench:lost-end -- [--flink VERSION,…] [--how killed,drained,forced] [--samples N]';

const deletePod = async ({ clusterId, namespace }: ClusterRef, ...how: readonly string[]): Promise<void> =>
  void (await kubectl('delete', 'pod', '-n', namespace, '-l', `app=${clusterId},component=jobmanager`, ...how));

const WAYS = {
  /** Its container, as by the kernel: Kubernetes starts it again in the same pod. */
  killed: (ref: ClusterRef) => killPod(ref, 'jobmanager'),
  /** Its pod, as when a node is drained: with SIGTERM and a period of grace. */
  drained: (ref: ClusterRef) => deletePod(ref, '--wait=false'),
  /** Its pod, as when a node is lost: the pod is not there any more. */
  forced: (ref: ClusterRef) => deletePod(ref, '--force', '--grace-period=0'),
};
type Way = keyof typeof WAYS;
const isWay = (name: string): name is Way => Object.hasOwn(WAYS, name);

const SECOND = 1000;
/** Seconds: for JVMs that start beside others. */
const ENDS_WITHIN = 400;
const AT_ONCE = 4;

process.exitCode = await main().catch((error: unknown) => fail(describeError(error)));

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      flink: { type: 'string', default: FLINK_VERSIONS.join(',') },
      how: { type: 'string', default: Object.keys(WAYS).join(',') },
      samples: { type: 'string', default: '10' },
    },
  });
  const versions = values.flink.split(',');
  const ways = values.how.split(',').filter(isWay);
  if (ways.length !== values.how.split(',').length || !(Number(values.samples) > 0)) return fail(USAGE);
  if (process.env['NODE_IP'] === undefined) return (await enterNetwork(versions[0] ?? '')) ?? fail(START_IT);
  const tenant = await openTenant(await apiOfKubeconfig());
  try {
    for (const way of ways) {
      for (const version of versions) await measure(tenant, version, way, Number(values.samples));
    }
  } finally {
    await tenant.remove();
  }
  return 0;
}

async function measure(tenant: Tenant, version: string, way: Way, samples: number): Promise<void> {
  const pool = createPool(AT_ONCE);
  const seen = await Promise.all(
    Array.from({ length: samples }, (_, index) => pool(() => sample(tenant, version, way, (SECOND * index) / samples))),
  );
  const counts: Record<string, number> = {};
  for (const said of seen) counts[said] = (counts[said] ?? 0) + 1;
  for (const [said, count] of Object.entries(counts)) {
    console.log(`${version.padEnd(8)}${way.padEnd(9)}${String(count).padStart(3)} of ${samples}  ${said}`);
  }
  console.log(JSON.stringify({ bench: 'lost-end', flink: version, way, samples, counts }));
}

/** What the event says, and what of. */
async function sample(tenant: Tenant, version: string, way: Way, delay: number): Promise<string> {
  const run = await new Run({ tenant, version, spec: WORD_COUNT }).start();
  try {
    await run.until(({ attempts, state }) => attempts.length > 0 && state === 'starting', ENDS_WITHIN);
    run.pause();
    await eventually('its job has finished', ENDS_WITHIN, async () => {
      return (await jobOf(tenant, run.ref))?.state === 'FINISHED';
    });
    const looks = sleep(SECOND);
    await sleep(delay);
    await WAYS[way](run.ref);
    await looks;
    run.resume();
    const { event } = await run.completed(ENDS_WITHIN);
    await run.closed(120);
    return wordsOf(event.data, run.record.outcome?.evidence ?? []);
  } finally {
    await run.stop();
  }
}

function wordsOf({ state, reason, message = '' }: LifecycleEvent['data'], evidence: readonly string[]): string {
  const plain = (text: string): string =>
    text.replace(/\b[0-9a-f]{32}\b/g, '<id>').replace(/\bjob-[\w-]+(: uid .*)?/g, '<name>');
  return `${state} ${reason ?? ''}: ${plain(message)} [${plain(evidence[0] ?? '')}]`;
}

function fail(message: string): number {
  console.error(`bench:lost-end: ${message}`);
  return 1;
}
