import { MAIN_CONTAINER } from './containers.ts';
import type { KubernetesObject, V1ConfigMap, V1Container, V1Deployment, V1ObjectMeta } from '@kubernetes/client-node';
import { DispatchError } from '../../core/errors.ts';
import type { ClusterId } from '../../core/ids.ts';
import type { FlinkCluster } from '../../flink/cluster.ts';
import { commonLabels } from '../../flink/native/labels.ts';
import { recommendedLabels } from '../../flink/recommended-labels.ts';
import type { ObjectClient } from '../api/client.ts';
import { collectionPath, objectPath } from '../api/kinds.ts';
import { isSameOwner, ownerIn } from './owner-metadata.ts';
import type { ClusterRef, Owner } from './port.ts';
import { statusError, statusIn, succeeded } from '../api/status-error.ts';

const KEY = 'start';
const VARIABLE = 'FLINK_DISPATCH_START_PERMIT';
const PREFIX = 'start-permit-';

function permitName(clusterId: ClusterId): string {
  return PREFIX + clusterId;
}

export function isPermit({ kind, metadata }: KubernetesObject): boolean {
  return kind === 'ConfigMap' && metadata?.name?.startsWith(PREFIX) === true;
}

/**
 * The cluster with a ConfigMap of which its JobManager's container has a key in its environment. The kubelet looks it up
 * at every start of the container: once the key is gone, what runs goes on, and no JobManager begins the program again,
 * neither in the same pod nor in another.
 */
export function withStartPermit(cluster: FlinkCluster): FlinkCluster {
  const name = permitName(cluster.clusterId);
  const like = cluster.dependents.find(({ kind }) => kind === 'ConfigMap')?.metadata;
  const { namespace } = cluster;
  const { ownerReferences = [] } = like ?? {};
  const permit: V1ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: labelsOf(cluster.clusterId), ownerReferences },
    data: { [KEY]: 'granted' },
  };
  return {
    ...cluster,
    deployment: onMainContainer(cluster.deployment, (container) => ({
      ...container,
      env: [...(container.env ?? []), { name: VARIABLE, valueFrom: { configMapKeyRef: { name, key: KEY } } }],
    })),
    dependents: [...cluster.dependents, permit],
  };
}

/** Those by which a cluster's objects are found, and those by which people do. */
function labelsOf(clusterId: ClusterId): Record<string, string> {
  return { ...recommendedLabels(clusterId, 'jobmanager'), ...commonLabels(clusterId) };
}

function onMainContainer(deployment: V1Deployment, change: (container: V1Container) => V1Container): V1Deployment {
  const { spec } = deployment;
  const pod = spec?.template.spec;
  if (spec === undefined || pod === undefined) return deployment;
  const containers = pod.containers.map((it) => (it.name === MAIN_CONTAINER ? change(it) : it));
  return { ...deployment, spec: { ...spec, template: { ...spec.template, spec: { ...pod, containers } } } };
}

/**
 * The permit stays, without what it permits: a launch that is late finds its name taken, and grants nothing. No
 * Deployment of the owner: there is nothing to withdraw it from.
 */
export async function withdrawPermit(client: ObjectClient, ref: ClusterRef, owner: Owner): Promise<void> {
  if (await empty(client, ref)) return;
  const { metadata } = (await client.get<V1Deployment>('Deployment', ref.namespace, ref.clusterId)) ?? {};
  if (metadata === undefined || !isSameOwner(ownerIn(metadata), owner) || (await withhold(client, ref, metadata)))
    return;
  // Granted a moment ago.
  if (!(await empty(client, ref))) {
    throw new DispatchError('ClusterUnavailable', `ConfigMap ${permitName(ref.clusterId)} comes and goes`);
  }
}

/** Whether the cluster's permit was ever granted, or is withheld for good. */
export async function hasPermit(client: ObjectClient, { namespace, clusterId }: ClusterRef): Promise<boolean> {
  return (await client.get('ConfigMap', namespace, permitName(clusterId))) !== undefined;
}

/** False: there is no permit. */
async function empty(client: ObjectClient, { namespace, clusterId }: ClusterRef): Promise<boolean> {
  const name = permitName(clusterId);
  const path = objectPath('ConfigMap', namespace, name);
  const body = { data: { [KEY]: null } };
  const response = await client.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
  if (response.status === 404) return false;
  if (!succeeded(response)) throw statusError(response, { verb: 'patch', resource: `configmaps/${name}`, namespace });
  return true;
}

/** Takes the name of a permit that is not there yet. False: it is there by now. */
async function withhold(
  client: ObjectClient,
  { namespace, clusterId }: ClusterRef,
  { uid = '' }: V1ObjectMeta,
): Promise<boolean> {
  const name = permitName(clusterId);
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: clusterId, uid, controller: true };
  const ownerReferences = [{ ...owner, blockOwnerDeletion: true }];
  const metadata = { name, namespace, labels: labelsOf(clusterId), ownerReferences };
  const body: V1ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
  const path = collectionPath('ConfigMap', namespace);
  const response = await client.request({ method: 'POST', path, body, repeatable: true });
  if (response.status === 409 && statusIn(response.body)?.reason === 'AlreadyExists') return false;
  if (!succeeded(response)) throw statusError(response, { verb: 'create', resource: `configmaps/${name}`, namespace });
  return true;
}
