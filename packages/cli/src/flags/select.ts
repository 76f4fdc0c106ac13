import { isJobId, parseClusterId } from '../../../../lib/core/ids.ts';
import type { JobSummary } from '../../../../lib/flink/job-manager.ts';
import { isTerminal } from '../../../../lib/flink/job-state.ts';
import type { Kubernetes } from '../clusters/connect.ts';
import { findNativeCluster, listNativeClusters, type NativeCluster } from '../clusters/native-clusters.ts';
import { modeOf, namespaceOf, type Settings } from './settings.ts';
import { UsageError } from './usage.ts';

/**
 * The native cluster that is meant: the one of `kubernetes.cluster-id`, or the only one of the namespace.
 * @throws UsageError when there is none, or more than one
 */
export async function selectCluster(
  kubernetes: Kubernetes,
  settings: Settings,
  named?: string,
): Promise<NativeCluster> {
  const namespace = namespaceOf(settings);
  const id = named ?? settings.effective['kubernetes.cluster-id'];
  if (id !== undefined) {
    const found = await findNativeCluster(kubernetes.api, namespace, parseClusterId(id));
    if (found !== undefined) return found;
    const others = await candidates(kubernetes, settings);
    throw new UsageError(`there is no cluster '${id}' in namespace ${namespace}${listed(others)}`);
  }
  const found = await candidates(kubernetes, settings);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new UsageError(`which cluster of namespace ${namespace}? Give -Dkubernetes.cluster-id=<id>${listed(found)}`);
}

export async function candidates(kubernetes: Kubernetes, settings: Settings): Promise<NativeCluster[]> {
  const mode = modeOf(settings);
  const all = await listNativeClusters(kubernetes.api, namespaceOf(settings));
  return all.filter((cluster) => mode === undefined || cluster.mode === mode);
}

export interface SelectedJob {
  readonly cluster: NativeCluster;
  readonly jobId: string;
}

/**
 * The job that is meant: by its id in the named cluster or in any of the namespace; without an id the only one that
 * runs in the cluster. @throws UsageError
 */
export async function selectJob(
  kubernetes: Kubernetes,
  settings: Settings,
  jobId: string | undefined,
): Promise<SelectedJob> {
  if (jobId !== undefined && !isJobId(jobId)) {
    throw new UsageError(`'${jobId}' is no job id: 32 hexadecimal digits, as 'list' shows them`);
  }
  if (jobId !== undefined && settings.effective['kubernetes.cluster-id'] === undefined) {
    return { cluster: await clusterOfJob(kubernetes, settings, jobId), jobId };
  }
  const cluster = await selectCluster(kubernetes, settings);
  if (jobId !== undefined) return { cluster, jobId };
  const { jobs } = await kubernetes.rest(cluster).jobManager.overview();
  const running = jobs.filter(({ state }) => !isTerminal(state));
  const [only] = running;
  if (only !== undefined && running.length === 1) return { cluster, jobId: only.id };
  throw new UsageError(`which job of cluster ${cluster.clusterId}? Give its id${listedJobs(running)}`);
}

async function clusterOfJob(kubernetes: Kubernetes, settings: Settings, jobId: string): Promise<NativeCluster> {
  const clusters = await candidates(kubernetes, settings);
  const answers = await Promise.allSettled(clusters.map((cluster) => kubernetes.rest(cluster).jobManager.overview()));
  const index = answers.findIndex(
    (answer) => answer.status === 'fulfilled' && answer.value.jobs.some(({ id }) => id === jobId),
  );
  const found = clusters[index];
  if (found !== undefined) return found;
  throw new UsageError(`no cluster of namespace ${namespaceOf(settings)} has job ${jobId}${listed(clusters)}`);
}

function listed(clusters: readonly NativeCluster[]): string {
  if (clusters.length === 0) return '; there are no native Flink clusters';
  return `; there are: ${clusters.map(({ clusterId }) => clusterId).join(', ')}`;
}

function listedJobs(jobs: readonly JobSummary[]): string {
  if (jobs.length === 0) return '; none runs';
  return `: ${jobs.map(({ id, name }) => `${id} (${name})`).join(', ')}`;
}
