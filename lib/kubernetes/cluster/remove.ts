import type { KubernetesObject, V1Deployment } from '@kubernetes/client-node';
import { defined } from '../../core/defined.ts';
import { isDispatchError } from '../../core/errors.ts';
import type { ObjectClient } from '../api/client.ts';
import { selectorOf, type Kind } from '../api/kinds.ts';
import { isSameOwner, ownerIn } from './owner-metadata.ts';
import type { ClusterRef, Removal } from './port.ts';

/** In the order in which they would be named to a person. */
const REMAINING_KINDS: readonly Kind[] = ['Deployment', 'ReplicaSet', 'Pod', 'Service', 'ConfigMap', 'Secret'];

/**
 * Does what is due, and is called again until nothing remains. First the Deployment, in the foreground: it stays, and
 * keeps its name, until its garbage is collected, and a TaskManager that its JobManager still asks for is garbage at once.
 */
export async function removeCluster(client: ObjectClient, ref: ClusterRef, what: Removal): Promise<void> {
  const { namespace } = ref;
  if (await removeDeployment(client, ref, what)) return;
  // Before the pods: what a JobManager writes that starts meanwhile is not among them.
  const maps = what.highAvailability
    ? await client.list('ConfigMap', namespace, { labelSelector: selectorOf(ref), metadataOnly: true })
    : [];
  const pods = await client.list('Pod', namespace, { labelSelector: selectorOf(ref), metadataOnly: true });
  await Promise.all(pods.filter(nobodyCollects).map((pod) => removeObject(client, 'Pod', namespace, pod)));
  if (pods.some((pod) => pod.metadata?.labels?.['component'] === 'jobmanager')) return;
  await Promise.all(maps.filter(isHighAvailability).map((map) => removeObject(client, 'ConfigMap', namespace, map)));
}

/** True while the Deployment is there: on its way out, or of another owner, who keeps what has the cluster's labels. */
async function removeDeployment(client: ObjectClient, ref: ClusterRef, what: Removal): Promise<boolean> {
  const { namespace, clusterId } = ref;
  const deployment = await client.get<V1Deployment>('Deployment', namespace, clusterId);
  const uid = deployment?.metadata?.uid;
  if (deployment === undefined || uid === undefined) return false;
  if (deployment.metadata?.deletionTimestamp === undefined && !isForeign(deployment, what)) {
    await client.remove('Deployment', namespace, clusterId, { uid, propagationPolicy: 'Foreground' });
  }
  return true;
}

/** Somebody made a Deployment of this name after, or instead of, the one that is meant. */
function isForeign({ metadata }: KubernetesObject, { uid, owner }: Removal): boolean {
  if (uid !== undefined) return metadata?.uid !== uid;
  return owner !== undefined && !isSameOwner(ownerIn(metadata), owner);
}

/** A pod that lost its owner, or never had one, is not garbage to Kubernetes. */
function nobodyCollects({ metadata }: KubernetesObject): boolean {
  return metadata?.deletionTimestamp === undefined && (metadata?.ownerReferences ?? []).length === 0;
}

export async function removeObject(
  client: ObjectClient,
  kind: Kind,
  namespace: string,
  object: KubernetesObject,
): Promise<void> {
  const { name, uid } = object.metadata ?? {};
  if (name !== undefined) await client.remove(kind, namespace, name, defined({ uid }));
}

interface Listed {
  readonly kind: Kind;
  readonly object: KubernetesObject;
}

/** Every object with the cluster's labels, kind by kind. */
export async function remainingObjects(
  client: ObjectClient,
  ref: ClusterRef,
  what: Removal,
): Promise<readonly string[]> {
  const lists = await Promise.all(
    REMAINING_KINDS.map(async (kind): Promise<readonly Listed[]> => {
      const objects = await listOf(client, kind, ref);
      return objects.map((object) => ({ kind, object }));
    }),
  );
  return withoutForeign(lists.flat(), ref, what)
    .filter(({ kind, object }) => what.highAvailability || kind !== 'ConfigMap' || !isHighAvailability(object))
    .map(({ kind, object }) => nameOf(kind, object));
}

/** Of what has a foreign Deployment's labels, only what another one owned is ours, and is garbage by now. */
function withoutForeign(all: readonly Listed[], { clusterId }: ClusterRef, what: Removal): readonly Listed[] {
  // The Deployment that gives the cluster its name: a standalone cluster has another one, for its TaskManagers.
  const foreign = all.find(
    ({ kind, object }) => kind === 'Deployment' && object.metadata?.name === clusterId && isForeign(object, what),
  );
  if (foreign === undefined) return all;
  const theirs = new Set([foreign.object.metadata?.uid]);
  const ownedBy = ({ object }: Listed): readonly string[] => (object.metadata?.ownerReferences ?? []).map((o) => o.uid);
  const isTheirs = (it: Listed): boolean => it === foreign || ownedBy(it).some((uid) => theirs.has(uid));
  for (const it of all) if (it.kind === 'ReplicaSet' && isTheirs(it)) theirs.add(it.object.metadata?.uid);
  return all.filter((it) => !isTheirs(it) && ownedBy(it).length > 0);
}

async function listOf(client: ObjectClient, kind: Kind, ref: ClusterRef): Promise<readonly KubernetesObject[]> {
  try {
    return await client.list(kind, ref.namespace, { labelSelector: selectorOf(ref), metadataOnly: true });
  } catch (error) {
    // The least Role may not see Secrets. What was made is owned by the Deployment, which went after it.
    if (kind === 'Secret' && isDispatchError(error) && error.reason === 'PermissionDenied') return [];
    throw error;
  }
}

/** Flink's leaders write theirs without an owner; only up to 1.20 they bear the label `configmap-type`. */
export function isHighAvailability({ metadata }: KubernetesObject): boolean {
  return (metadata?.ownerReferences ?? []).length === 0;
}

function nameOf(kind: Kind, { metadata }: KubernetesObject): string {
  return `${kind}/${metadata?.name ?? ''}`;
}
