import type { V1Deployment } from '@kubernetes/client-node';
import type { ClusterId } from '../core/ids.ts';
import type { KubernetesApi } from './api.ts';
import { applyCluster } from './apply.ts';
import { createObjectClient, type ObjectClient } from './client.ts';
import { readTail } from './logs.ts';
import { MANAGED_BY, ownerIn } from './marks.ts';
import { observeCluster } from './observe.ts';
import type { ClusterInventory, ClusterLogs, Clusters, Renewals, StartPermits } from './port.ts';
import { readable } from './readable.ts';
import { renewObjects } from './renew.ts';
import { remainingObjects, removeCluster } from './remove.ts';
import { withdrawPermit } from './start-permit.ts';

const EVERYTHING = { highAvailability: true };

/** Flink clusters through the Kubernetes API alone: no operator, no JVM. */
export function createClusters(
  api: KubernetesApi,
): Clusters & ClusterLogs & ClusterInventory & StartPermits & Renewals {
  const client = createObjectClient(api);
  return {
    apply: (cluster, owner, mayStart) => readable(() => applyCluster(client, cluster, owner, mayStart)),
    observe: (ref) => readable(() => observeCluster(client, ref)),
    remove: (ref, what) => readable(() => removeCluster(client, ref, what)),
    remains: (ref, what = EVERYTHING) => readable(() => remainingObjects(client, ref, what)),
    tail: (ref, pod, options) => readable(() => readTail(client, ref, pod, options)),
    renew: (ref, owner, objects) => readable(() => renewObjects(client, ref, owner, objects)),
    withdraw: (ref, owner) => readable(() => withdrawPermit(client, ref, owner)),
    list: (namespace) => readable(() => listClusters(client, namespace)),
  };
}

async function listClusters(client: ObjectClient, namespace: string): ReturnType<ClusterInventory['list']> {
  const labelSelector = `${MANAGED_BY.name}=${MANAGED_BY.value}`;
  const found = await client.list<V1Deployment>('Deployment', namespace, { labelSelector, metadataOnly: true });
  return found.flatMap(({ metadata }) => {
    const owner = ownerIn(metadata);
    if (owner === undefined || metadata?.name === undefined || metadata.uid === undefined) return [];
    const createdAt = Date.parse(String(metadata.creationTimestamp));
    const { runId, ledger } = owner;
    const { uid } = metadata;
    const clusterId = metadata.name as ClusterId;
    return [{ namespace, clusterId, uid, runId, createdAt, ...(ledger === undefined ? {} : { ledger }) }];
  });
}
