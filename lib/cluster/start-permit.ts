import type { KubernetesObject, V1ConfigMap, V1Container, V1Deployment } from '@kubernetes/client-node';
import type { ClusterId } from '../core/ids.ts';
import type { FlinkCluster } from '../flink/cluster.ts';
import type { ObjectClient } from './client.ts';
import type { ClusterRef } from './port.ts';

const KEY = 'start';
const VARIABLE = 'FLINK_DISPATCH_START_PERMIT';
const MAIN_CONTAINER = 'flink-main-container';

function permitName(clusterId: ClusterId): string {
  return `start-permit-${clusterId}`;
}

export function isPermit({ kind, metadata }: KubernetesObject): boolean {
  return kind === 'ConfigMap' && metadata?.name?.startsWith(permitName('' as ClusterId)) === true;
}

/**
 * The cluster with a ConfigMap that its JobManager's container names in its environment. The kubelet looks it up at every
 * start of the container: once it is gone, what runs goes on, and no JobManager begins the program again, neither in the
 * same pod nor in another.
 */
export function withStartPermit(cluster: FlinkCluster): FlinkCluster {
  const name = permitName(cluster.clusterId);
  const like = cluster.dependants.find(({ kind }) => kind === 'ConfigMap')?.metadata;
  const { namespace } = cluster;
  const { labels = {}, ownerReferences = [] } = like ?? {};
  const permit: V1ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels, ownerReferences },
    data: { [KEY]: 'granted' },
  };
  return {
    ...cluster,
    deployment: onMainContainer(cluster.deployment, (container) => ({
      ...container,
      env: [...(container.env ?? []), { name: VARIABLE, valueFrom: { configMapKeyRef: { name, key: KEY } } }],
    })),
    dependants: [...cluster.dependants, permit],
  };
}

function onMainContainer(deployment: V1Deployment, change: (container: V1Container) => V1Container): V1Deployment {
  const { spec } = deployment;
  const pod = spec?.template.spec;
  if (spec === undefined || pod === undefined) return deployment;
  const containers = pod.containers.map((it) => (it.name === MAIN_CONTAINER ? change(it) : it));
  return { ...deployment, spec: { ...spec, template: { ...spec.template, spec: { ...pod, containers } } } };
}

/** Absent is success. */
export async function withdrawPermit(client: ObjectClient, { namespace, clusterId }: ClusterRef): Promise<void> {
  await client.remove('ConfigMap', namespace, permitName(clusterId));
}
