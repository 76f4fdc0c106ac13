import { describeError } from '../../../../lib/core/errors.ts';
import type { ClusterRequest, FlinkCluster } from '../../../../lib/flink/cluster.ts';
import { buildCluster } from '../../../../lib/flink/native/build-cluster.ts';
import { checkedCluster } from '../clusters/checked-cluster.ts';
import { has, valueOf, type Execute } from '../command.ts';
import type { Kubernetes } from '../clusters/connect.ts';
import { createCluster } from '../clusters/create.ts';
import { printObjects } from '../clusters/dry-run.ts';
import { holdOptions, marked, release } from '../clusters/hold.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import type { Ending } from '../follow/ending.ts';
import { printJson, type Io } from '../terminal/io.ts';
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
  const request = clusterRequest(settings, parsed, 'application', spec);
  const cluster = checkedCluster(io, request);
  if (has(parsed, 'dry-run')) {
    printObjects(io, parsed, { ...cluster, owner: cluster.deployment });
    return 0;
  }
  const { connect } = await import('../clusters/connect.ts');
  const kubernetes = await connect(settings, io);
  const followed = has(parsed, 'detached') ? undefined : held(settings, request);
  const made = followed ?? cluster;
  const started = io.clock.now();
  await createCluster(kubernetes.api, { ...made, owner: made.deployment });
  const took = io.clock.now() - started;
  if (has(parsed, 'detached')) return submitted(io, parsed, made, took);
  return follow(io, parsed, { cluster: made, held: followed !== undefined }, kubernetes, took);
};

/** The same cluster, which stays until its results were read; `undefined` where its user says whether it does. */
function held({ effective }: Settings, request: ClusterRequest): FlinkCluster | undefined {
  const hold = holdOptions(effective);
  return hold && marked(buildCluster({ ...request, options: { ...request.options, ...hold } }));
}

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

interface Followed {
  readonly cluster: FlinkCluster;
  readonly held: boolean;
}

async function follow(
  io: Io,
  parsed: ParsedFlags,
  followed: Followed,
  kubernetes: Kubernetes,
  took: number,
): Promise<number> {
  const { followCluster } = await import('../follow/follow-cluster.ts');
  const { cluster } = followed;
  return followCluster(io, parsed, cluster, kubernetes, {
    created: `application cluster ${cluster.clusterId} created in namespace ${cluster.namespace} (${took} ms)`,
    async afterwards(ending, progress) {
      const what = afterwards(parsed, followed, ending);
      if (what === 'goes on') return progress.note(`cluster ${cluster.clusterId} ${endedBy(followed)}`);
      if (what === 'goes') return;
      try {
        if (what === 'remove') await kubernetes.clusters.remove(cluster, { highAvailability: false });
        const left = what === 'release' ? await release(io, kubernetes, cluster) : [];
        progress.note(`cluster ${cluster.clusterId} ${left.length === 0 ? 'removed' : `leaves ${left.join(', ')}`}`);
      } catch (error) {
        // How the application ended is told all the same.
        const { clusterId } = cluster;
        progress.note(
          `cluster ${clusterId} could not be removed: ${describeError(error)}; try: session stop ${clusterId}`,
        );
      }
    },
  });
}

/**
 * What becomes of the cluster. A JobManager that cannot start is started again for ever, and every start runs main() again;
 * one that is held goes when its end was read. After an interrupt the cluster stays, unless `-sae` asks for its end.
 */
function afterwards(parsed: ParsedFlags, { held }: Followed, { state, stuck }: Ending) {
  if (state === 'INTERRUPTED') return has(parsed, 'shutdownOnAttachedExit') ? 'remove' : 'goes on';
  if (stuck === true) return has(parsed, 'keep') ? 'goes' : 'remove';
  return held && state !== 'UNKNOWN' ? 'release' : 'goes';
}

function endedBy({ cluster: { clusterId }, held }: Followed): string {
  const cancel = `goes on; end it with: cancel -Dkubernetes.cluster-id=${clusterId}`;
  return held ? `${cancel}; when its application has ended, remove it with: session stop ${clusterId}` : cancel;
}
