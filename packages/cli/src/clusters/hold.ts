import type { Duration } from '../../../../lib/core/clock.ts';
import type { FlinkCluster } from '../../../../lib/flink/cluster.ts';
import { MAIN_STACK_DEPTH } from '../../../../lib/flink/job-manager.ts';
import type { ClusterRef } from '../../../../lib/kubernetes/cluster/port.ts';
import type { Io } from '../terminal/io.ts';
import type { Kubernetes } from './connect.ts';
import { HELD } from './held.ts';
import { removeCluster } from './removal.ts';

export const SHUTDOWN = 'execution.shutdown-on-application-finish';
export const STACK_DEPTH = 'cluster.thread-dump.stacktrace-max-depth';

/** A JobManager that was told to go takes some seconds to close its services, and to remove its Deployment. */
const GOES_WITHIN: Duration = 20_000;
const LOOK: Duration = 250;

type Options = Readonly<Record<string, string>>;

/** main() can be seen to return only in whole stacks. */
export const WHOLE_STACKS: Options = { [STACK_DEPTH]: String(MAIN_STACK_DEPTH) };

/**
 * What holds a cluster until its results were read: by itself a JobManager goes within two seconds of the end of its last
 * job. `undefined` for one whose user says whether it goes.
 */
export function holdOptions(effective: Options): Options | undefined {
  return effective[SHUTDOWN] === undefined ? { [SHUTDOWN]: 'false', ...WHOLE_STACKS } : undefined;
}

/** The same cluster, marked as held. */
export function marked(cluster: FlinkCluster): FlinkCluster {
  const { deployment } = cluster;
  const annotations = { ...deployment.metadata?.annotations, [HELD]: 'true' };
  return { ...cluster, deployment: { ...deployment, metadata: { ...deployment.metadata, annotations } } };
}

/**
 * Lets a held cluster go, as Flink's own would by itself. Where its JobManager cannot be told, or does not go, it is removed.
 * Answers what is still there.
 */
export async function release(io: Io, kubernetes: Kubernetes, cluster: ClusterRef): Promise<readonly string[]> {
  const told = await kubernetes
    .rest(cluster)
    .shutDown()
    .then(
      () => true,
      () => false,
    );
  for (const end = io.clock.now() + GOES_WITHIN; told && io.clock.now() < end; await io.clock.sleep(LOOK)) {
    const { deployment } = await kubernetes.clusters.observe(cluster);
    if (deployment.state === 'absent' || deployment.deleting) return [];
  }
  return removeCluster(io, kubernetes, cluster);
}
