import type { KubernetesObject } from '@kubernetes/client-node';
import type { KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import { collectionPath, objectPath } from '../../../../lib/kubernetes/api/kinds.ts';
import type { ClusterRef } from '../../../../lib/kubernetes/cluster/port.ts';
import { statusError, succeeded } from '../../../../lib/kubernetes/api/status-error.ts';

export type JobObject = KubernetesObject & {
  readonly status?: {
    readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
  };
};

/** Jobs that are JobManagers. Who may not see Jobs has made none: that must not hide all else. */
export async function listJobs(api: KubernetesApi, namespace: string, selector: string): Promise<readonly JobObject[]> {
  const request = {
    method: 'GET',
    path: collectionPath('Job', namespace),
    query: { labelSelector: selector },
  } as const;
  const response = await api.request(request);
  if (response.status === 403 || response.status === 404) return [];
  if (!succeeded(response)) throw statusError(response, { verb: 'list', resource: 'jobs', namespace });
  return (response.body as { readonly items?: readonly JobObject[] }).items ?? [];
}

/** The JobManager of a standalone application that is a Job; nothing for a Job of somebody else. */
export async function findJob(api: KubernetesApi, ref: ClusterRef): Promise<JobObject | undefined> {
  const { namespace, clusterId } = ref;
  const response = await api.request({ method: 'GET', path: objectPath('Job', namespace, clusterId) });
  if (response.status === 403 || response.status === 404) return undefined;
  if (!succeeded(response)) throw statusError(response, { verb: 'get', resource: `jobs/${clusterId}`, namespace });
  const job = response.body as JobObject;
  const labels = job.metadata?.labels ?? {};
  return labels['type'] === 'flink-native-kubernetes' && labels['app'] === clusterId ? job : undefined;
}
