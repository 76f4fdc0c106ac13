import type { V1Deployment } from '@kubernetes/client-node';
import { isStoredClusterId } from '../../core/ids.ts';
import type { KubernetesApi } from '../api/api.ts';
import { createAdmission } from '../admission/admit.ts';
import { applyCluster } from './apply.ts';
import { createObjectClient, type ObjectClient } from '../api/client.ts';
import { removeLeftovers } from './leftovers.ts';
import { readTail } from './logs.ts';
import { MANAGED_BY, ownerIn } from './owner-metadata.ts';
import { observeCluster } from './observe.ts';
import type { ClusterAccess, ClusterInventory } from './port.ts';
import { readable } from '../api/readable.ts';
import { renewObjects } from './renew.ts';
import { remainingObjects, removeCluster } from './remove.ts';
import { hasRight } from './rights.ts';
import { withdrawPermit } from './start-permit.ts';

const EVERYTHING = { highAvailability: true };

/** Flink clusters through the Kubernetes API alone: no operator, no JVM. */
export function createClusters(api: KubernetesApi): ClusterAccess {
  const client = createObjectClient(api);
  const admit = createAdmission(client);
  return {
    apply: (cluster, owner, mayStart) => readable(() => applyCluster(client, cluster, owner, mayStart)),
    admit: (cluster, owner, now) => readable(() => admit(cluster, owner, now)),
    observe: (ref) => readable(() => observeCluster(client, ref)),
    remove: (ref, what) => readable(() => removeCluster(client, ref, what)),
    removeLeftovers: (ref, uid) => readable(() => removeLeftovers(client, ref, uid)),
    remains: (ref, what = EVERYTHING) => readable(() => remainingObjects(client, ref, what)),
    tail: (ref, pod, options) => readable(() => readTail(client, ref, pod, options)),
    renew: (ref, owner, objects) => readable(() => renewObjects(client, ref, owner, objects)),
    revoke: (ref, owner) => readable(() => withdrawPermit(client, ref, owner)),
    hasRight: (right) => readable(() => hasRight(client, right)),
    list: (namespace) => readable(() => listClusters(client, namespace)),
  };
}

async function listClusters(client: ObjectClient, namespace: string): ReturnType<ClusterInventory['list']> {
  const labelSelector = `${MANAGED_BY.name}=${MANAGED_BY.value}`;
  const found = await client.list<V1Deployment>('Deployment', namespace, { labelSelector, metadataOnly: true });
  return found.flatMap(({ metadata }) => {
    const { name: clusterId, uid, creationTimestamp } = metadata ?? {};
    const owner = ownerIn(metadata);
    if (owner === undefined || !isStoredClusterId(clusterId) || uid === undefined) return [];
    return [{ namespace, clusterId, uid, owner, createdAt: Date.parse(String(creationTimestamp)) }];
  });
}
