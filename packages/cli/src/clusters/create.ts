import type { KubernetesObject } from '@kubernetes/client-node';
import type { ApiResponse, KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import { createObjectClient } from '../../../../lib/kubernetes/api/client.ts';
import { collectionPath, kindOf, resourceOf } from '../../../../lib/kubernetes/api/kinds.ts';
import { statusError, succeeded } from '../../../../lib/kubernetes/api/status-error.ts';
import { defined } from '../../../../lib/core/defined.ts';
import { describeError, DispatchError } from '../../../../lib/core/errors.ts';
import { isRecord } from '../../../../lib/core/json.ts';

/** The objects of a cluster: `dependents` name their owner, and lack its uid. */
export interface NewCluster {
  readonly clusterId: string;
  readonly namespace: string;
  /** Its name is the lock: the JobManager's Deployment or Job. */
  readonly owner: KubernetesObject;
  readonly dependents: readonly KubernetesObject[];
}

/**
 * Creates the objects of a cluster exactly as they are, without the marks of a dispatched run: the owner, then all
 * others at once. What was created is removed again when one of them fails.
 * @throws DispatchError `ClusterNameTaken` before anything is created, when there is such a cluster
 */
export async function createCluster(api: KubernetesApi, cluster: NewCluster): Promise<void> {
  const { owner, namespace, clusterId, dependents } = cluster;
  const created = await post(api, owner, namespace);
  if (created.status === 409) {
    throw new DispatchError(
      'ClusterNameTaken',
      `the Flink cluster '${clusterId}' already exists in namespace ${namespace}: choose another kubernetes.cluster-id, or remove it`,
      { field: 'kubernetes.cluster-id' },
    );
  }
  if (!succeeded(created)) throw refused(created, owner, namespace);
  const uid = uidOf(created);
  const results = await Promise.allSettled(dependents.map((object) => create(api, owned(object, uid), namespace)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  await removeAgain(api, cluster, uid, failed.reason);
  throw failed.reason;
}

async function create(api: KubernetesApi, object: KubernetesObject, namespace: string): Promise<void> {
  const response = await post(api, object, namespace);
  if (!succeeded(response)) throw refused(response, object, namespace);
}

function post(api: KubernetesApi, object: KubernetesObject, namespace: string): Promise<ApiResponse> {
  return api.request({ method: 'POST', path: collectionPath(kindOf(object), namespace), body: object });
}

function refused(response: ApiResponse, object: KubernetesObject, namespace: string): DispatchError {
  const resource = `${resourceOf(kindOf(object))}/${object.metadata?.name ?? ''}`;
  return statusError(response, { verb: 'create', resource, namespace });
}

function owned(object: KubernetesObject, uid: string): KubernetesObject {
  const ownerReferences = object.metadata?.ownerReferences?.map((owner) => ({ ...owner, uid }));
  return { ...object, metadata: { ...object.metadata, ...defined({ ownerReferences }) } };
}

function uidOf({ body }: ApiResponse): string {
  const metadata = isRecord(body) ? body['metadata'] : undefined;
  const uid = isRecord(metadata) ? metadata['uid'] : undefined;
  if (typeof uid === 'string') return uid;
  throw new DispatchError('ClusterUnavailable', 'the Kubernetes API answered without a uid');
}

/** Only the owner with this uid: garbage collection takes what it owns, and nothing of another owner. */
async function removeAgain(api: KubernetesApi, cluster: NewCluster, uid: string, why: unknown): Promise<void> {
  const { namespace, clusterId, owner } = cluster;
  const kind = kindOf(owner);
  try {
    const options = { uid, propagationPolicy: 'Background' } as const;
    await createObjectClient(api).remove(kind, namespace, clusterId, options);
  } catch (error) {
    const message = `${describeError(why)}; and ${kind} ${namespace}/${clusterId} could not be removed again, so remove it: ${describeError(error)}`;
    throw new DispatchError('ClusterUnavailable', message, { cause: why });
  }
}
