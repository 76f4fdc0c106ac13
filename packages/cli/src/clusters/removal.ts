import type { ClusterRef } from '../../../../lib/kubernetes/cluster/port.ts';
import { isDispatchError } from '../../../../lib/core/errors.ts';
import { isTerminal } from '../../../../lib/flink/job-state.ts';
import type { Kubernetes } from './connect.ts';
import type { Io } from '../terminal/io.ts';
import type { NativeCluster } from './native-clusters.ts';
import { UsageError } from '../flags/usage.ts';

/** What a person would restore jobs from stays. */
const KEEP_STATE = { highAvailability: false };
/** Longer than the grace period of a pod. */
const PATIENCE = 60_000;

/**
 * A cluster with running jobs is not removed by accident.
 * @throws UsageError that names them, or says that they are not known
 */
export async function refuseWhileJobsRun(kubernetes: Kubernetes, cluster: NativeCluster): Promise<void> {
  // no JobManager is ready: nothing runs, or nothing that could be asked
  if (!cluster.ready) return;
  const { clusterId } = cluster;
  const jobs = await runningJobs(kubernetes, cluster);
  if (jobs === undefined) {
    throw new UsageError(
      `the JobManager of ${clusterId} does not answer, so its jobs are not known; --force removes it`,
    );
  }
  if (jobs.length === 0) return;
  const named = jobs.map(({ id, name, state }) => `${id} (${name}, ${state})`).join(', ');
  const count = jobs.length === 1 ? 'a job runs' : `${jobs.length} jobs run`;
  throw new UsageError(
    `${count} on ${clusterId}: ${named}; cancel ${jobs.length === 1 ? 'it' : 'them'} first, or use --force`,
  );
}

async function runningJobs(kubernetes: Kubernetes, cluster: ClusterRef) {
  try {
    const { jobs } = await kubernetes.rest(cluster).jobManager.overview();
    return jobs.filter(({ state }) => !isTerminal(state));
  } catch (error) {
    if (isDispatchError(error) && error.retryable) return undefined;
    throw error;
  }
}

/** Removes all objects of a cluster, and looks until they are gone. Answers what is still there after a while. */
export async function removeCluster(io: Io, kubernetes: Kubernetes, cluster: ClusterRef): Promise<readonly string[]> {
  const deadline = io.clock.now() + PATIENCE;
  for (;;) {
    await kubernetes.clusters.remove(cluster, KEEP_STATE);
    const left = await kubernetes.clusters.remains(cluster, KEEP_STATE);
    if (left.length === 0 || io.clock.now() >= deadline || io.interrupted.aborted) return left;
    await io.clock.sleep(250);
  }
}
