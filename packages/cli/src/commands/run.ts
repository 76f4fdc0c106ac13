import type { FlinkCluster } from '../../../../lib/flink/cluster.ts';
import { checkedCluster } from '../clusters/checked-cluster.ts';
import { has, valueOf, type Execute } from '../command.ts';
import type { Kubernetes } from '../clusters/connect.ts';
import { createCluster } from '../clusters/create.ts';
import { printObjects } from '../clusters/dry-run.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import type { Ending } from '../follow/ending.ts';
import { printJson, type Io } from '../terminal/io.ts';
import type { Progress } from '../terminal/progress.ts';
import { clusterRequest } from '../flags/request.ts';
import { modeOf, readSettingsWithOld, targetOf, type Settings } from '../flags/settings.ts';
import type { SpecFile } from '../flags/spec-file.ts';
import { UsageError } from '../flags/usage.ts';

/** Creates an application cluster, and without `-d` follows it to the end of its application. */
export const execute: Execute = async (io, given) => {
  const parsed = withOldDetached(given);
  const file = valueOf(parsed, 'file');
  const spec = file === undefined ? undefined : (await import('../flags/spec-file.ts')).readSpecFile(file);
  for (const note of spec?.notes ?? []) io.err(`${note}\n`);
  if (spec?.standalone === true) throw new UsageError('mode standalone: use standalone up -f');
  const settings = runSettings(io, parsed, spec);
  if (modeOf(settings) === 'session') return (await import('./submit.ts')).submit(io, parsed, settings, spec);
  const cluster = checkedCluster(io, clusterRequest(settings, parsed, 'application', spec));
  if (has(parsed, 'dry-run')) {
    printObjects(io, parsed, { ...cluster, owner: cluster.deployment });
    return 0;
  }
  const { connect } = await import('../clusters/connect.ts');
  const kubernetes = await connect(settings, io);
  const started = io.clock.now();
  await createCluster(kubernetes.api, { ...cluster, owner: cluster.deployment });
  const took = io.clock.now() - started;
  if (has(parsed, 'detached')) return submitted(io, parsed, cluster, took);
  return follow(io, parsed, cluster, kubernetes, took);
};

/** `-kd` was `-d`. */
function withOldDetached(parsed: ParsedFlags): ParsedFlags {
  if (!has(parsed, 'kubernetesdetached')) return parsed;
  return { ...parsed, values: new Map([...parsed.values, ['detached', ['']]]) };
}

/** `-m kubernetes-cluster` named the way to run: into the session at `-ksa`, or on a cluster of its own. */
function runSettings(io: Io, parsed: ParsedFlags, spec: SpecFile | undefined): Settings {
  const manager = valueOf(parsed, 'jobmanager');
  if (manager === undefined) return readSettingsWithOld(io, parsed, 'kubernetes', spec);
  if (manager !== 'kubernetes-cluster') {
    throw new UsageError(`-m ${manager} is not supported: name the cluster with -Dkubernetes.cluster-id`);
  }
  const mode = has(parsed, 'kubernetesserviceaddress') ? 'session' : 'application';
  io.err(`note: -m is an old flag: today -t ${targetOf(mode)}\n`);
  const properties = { 'execution.target': targetOf(mode), ...parsed.properties };
  return readSettingsWithOld(io, { ...parsed, properties }, 'kubernetes', spec);
}

function submitted(io: Io, parsed: ParsedFlags, cluster: FlinkCluster, took: number): number {
  const { clusterId, namespace } = cluster;
  if (has(parsed, 'json')) printJson(io, { clusterId, namespace, createdInMs: took });
  else io.out(`Application cluster ${clusterId} created in namespace ${namespace} (${took} ms)\n`);
  return 0;
}

async function follow(
  io: Io,
  parsed: ParsedFlags,
  cluster: FlinkCluster,
  kubernetes: Kubernetes,
  took: number,
): Promise<number> {
  const { followCluster } = await import('../follow/follow-cluster.ts');
  return followCluster(io, parsed, cluster, kubernetes, {
    created: `application cluster ${cluster.clusterId} created in namespace ${cluster.namespace} (${took} ms)`,
    afterwards: (ending, progress) => afterwards(parsed, cluster, kubernetes, ending, progress),
  });
}

/**
 * A JobManager that cannot start is started again for ever, and every start runs main() again; after an interrupt the
 * cluster stays, unless `-sae` asks for its end.
 */
async function afterwards(
  parsed: ParsedFlags,
  cluster: FlinkCluster,
  kubernetes: Kubernetes,
  ending: Ending,
  progress: Progress,
): Promise<void> {
  const stuck = ending.state === 'FAILED' && ending.stuck === true && !has(parsed, 'keep');
  const interrupted = ending.state === 'INTERRUPTED';
  if (stuck || (interrupted && has(parsed, 'shutdownOnAttachedExit'))) {
    await kubernetes.clusters.remove(cluster, { highAvailability: false });
    progress.note(`cluster ${cluster.clusterId} removed`);
  } else if (interrupted) {
    progress.note(
      `cluster ${cluster.clusterId} goes on; end it with: cancel -Dkubernetes.cluster-id=${cluster.clusterId}`,
    );
  }
}
