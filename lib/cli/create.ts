import type { KubernetesObject } from '@kubernetes/client-node';
import { apiPath, type ApiResponse, type KubernetesApi } from '../cluster/api.ts';
import { describeError, DispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import type { FlinkCluster } from '../flink/cluster.ts';
import { apiError } from './api-error.ts';

/**
 * Creates the objects of a cluster exactly as they are: the Deployment, whose name is the lock, then all others at
 * once. What was created is removed again when one of them fails.
 * @throws DispatchError `ClusterNameTaken` before anything is created, when there is such a cluster
 */
export async function createCluster(api: KubernetesApi, cluster: FlinkCluster): Promise<void> {
  const { deployment, namespace, clusterId } = cluster;
  const created = await post(api, deployment, namespace);
  if (created.status === 409) {
    throw new DispatchError(
      'ClusterNameTaken',
      `the Flink cluster '${clusterId}' already exists in namespace ${namespace}: choose another kubernetes.cluster-id, or remove it`,
      { field: 'kubernetes.cluster-id' },
    );
  }
  if (created.status !== 201) throw apiError(created, `Deployment ${namespace}/${clusterId}`);
  const uid = uidOf(created);
  const results = await Promise.allSettled(
    cluster.dependants.map((object) => create(api, owned(object, uid), namespace)),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  await removeAgain(api, cluster, uid, failed.reason);
  throw failed.reason;
}

async function create(api: KubernetesApi, object: KubernetesObject, namespace: string): Promise<void> {
  const response = await post(api, object, namespace);
  if (response.status === 201) return;
  throw apiError(response, `${object.kind ?? ''} ${namespace}/${object.metadata?.name ?? ''}`);
}

function post(api: KubernetesApi, object: KubernetesObject, namespace: string): Promise<ApiResponse> {
  const [group, version] = (object.apiVersion ?? 'v1').includes('/') ? (object.apiVersion ?? '').split('/') : [];
  const base =
    group === undefined || version === undefined ? ['api', object.apiVersion ?? 'v1'] : ['apis', group, version];
  // ConfigMap, Service, Secret, Deployment: all that Flink's client creates has this plural
  const plural = `${(object.kind ?? '').toLowerCase()}s`;
  return api.request({ method: 'POST', path: apiPath(...base, 'namespaces', namespace, plural), body: object });
}

function owned(object: KubernetesObject, uid: string): KubernetesObject {
  const ownerReferences = object.metadata?.ownerReferences?.map((owner) => ({ ...owner, uid }));
  return { ...object, metadata: { ...object.metadata, ...(ownerReferences !== undefined && { ownerReferences }) } };
}

function uidOf({ body }: ApiResponse): string {
  const metadata = isRecord(body) ? body['metadata'] : undefined;
  const uid = isRecord(metadata) ? metadata['uid'] : undefined;
  if (typeof uid !== 'string')
    throw new DispatchError('ClusterUnavailable', 'the API server gave the Deployment no uid');
  return uid;
}

/** Only the Deployment with this uid: garbage collection takes what it owns, and nothing of another owner. */
async function removeAgain(
  api: KubernetesApi,
  { namespace, clusterId }: FlinkCluster,
  uid: string,
  why: unknown,
): Promise<void> {
  const path = apiPath('apis', 'apps', 'v1', 'namespaces', namespace, 'deployments', clusterId);
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background', preconditions: { uid } };
  const response = await api.request({ method: 'DELETE', path, body }).catch(describeError);
  if (typeof response !== 'string' && [200, 202, 404].includes(response.status)) return;
  const how = typeof response === 'string' ? response : `status ${response.status}`;
  throw new DispatchError(
    'ClusterUnavailable',
    `${describeError(why)}; and Deployment ${namespace}/${clusterId} could not be removed again (${how}): remove it`,
  );
}
