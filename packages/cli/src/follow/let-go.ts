import type { Duration } from '../../../../lib/core/clock.ts';
import type { Kubernetes } from '../clusters/connect.ts';
import { release } from '../clusters/hold.ts';
import type { NativeCluster } from '../clusters/native-clusters.ts';
import type { Io } from '../terminal/io.ts';
import type { Progress } from '../terminal/progress.ts';
import { follow } from './follow.ts';

/** For what main() does after its job. */
const ENDS_WITHIN: Duration = 60_000;
/** Whoever follows the application has read its results by then, and has let the cluster go. */
const FOLLOWER_READS: Duration = 10_000;
const LOOK: Duration = 250;

/**
 * After the end of its job: a cluster that was held for somebody who follows it no more, goes with its application. One that
 * is not held is left alone.
 */
export async function letGo(io: Io, kubernetes: Kubernetes, cluster: NativeCluster, progress: Progress): Promise<void> {
  if (cluster.held !== true) return;
  const { clock, interrupted } = io;
  const { clusters, logs } = kubernetes;
  const { jobManager } = kubernetes.rest(cluster);
  const end = clock.now() + ENDS_WITHIN;
  const over = {
    get aborted() {
      return interrupted.aborted || clock.now() >= end;
    },
  };
  const nature = { highAvailability: false, stays: true, showsMain: true };
  const deps = { jobManager, clusters, logs, clock, interrupted: over, progress: progress.say, ...nature };
  const { state } = await follow(cluster, deps);
  if (state === 'INTERRUPTED') return stays(cluster, 'its application goes on', progress);
  for (const limit = clock.now() + FOLLOWER_READS; clock.now() < limit; await clock.sleep(LOOK)) {
    const { deployment } = await clusters.observe(cluster);
    if (deployment.state === 'absent' || deployment.deleting) return;
  }
  const left = await release(io, kubernetes, cluster);
  if (left.length === 0) progress.note(`cluster ${cluster.clusterId} removed`);
  else stays(cluster, `still there: ${left.join(', ')}`, progress);
}

function stays({ clusterId }: NativeCluster, why: string, progress: Progress): void {
  progress.note(`cluster ${clusterId} stays, ${why}; remove it with: session stop ${clusterId}`);
}
