import type { KubernetesObject, V1Deployment, V1OwnerReference } from '@kubernetes/client-node';
import { DispatchError } from '../../core/errors.ts';
import type { FlinkCluster } from '../../flink/cluster.ts';
import { recommendedLabels } from '../../flink/recommended-labels.ts';
import type { ApiResponse } from '../api/api.ts';
import type { ObjectClient } from '../api/client.ts';
import { collectionPath, kindOf, resourceOf } from '../api/kinds.ts';
import { describeOwner, isSameOwner, ownerIn, ownerMetadata } from './owner-metadata.ts';
import type { Owner, StartAnswer } from './port.ts';
import { isPermit } from './start-permit.ts';
import { ownedBy, putSecret } from './renew.ts';
import { statusError, statusIn, succeeded } from '../api/status-error.ts';

/**
 * The Deployment first, because its uid is what owns the rest. Then `mayStart` is asked: whoever was held up on the way
 * here makes no cluster that begins the program. Then what depends on the Deployment, at once, because the kubelet may
 * already look for the ConfigMap; the permit to start comes last. Every name is fixed, so that doing it again finds what
 * was done.
 */
export async function applyCluster(
  client: ObjectClient,
  cluster: FlinkCluster,
  owner: Owner,
  mayStart: (uid: string) => Promise<StartAnswer> = () => Promise.resolve('grant'),
): Promise<'created' | 'found'> {
  const made = await createDeployment(client, cluster, owner);
  const answer = await mayStart(made.uid);
  if (answer !== 'grant') throw await overtaken(client, cluster, answer, made);
  const dependents = await createDependents(client, cluster, made.uid, (object) => !isPermit(object));
  const permit = await createDependents(client, cluster, made.uid, isPermit);
  return made.found && ![...dependents, ...permit].includes('created') ? 'found' : 'created';
}

/** What was found is somebody else's to take back. */
async function overtaken(
  client: ObjectClient,
  { namespace, clusterId }: FlinkCluster,
  answer: StartAnswer,
  { uid, found }: { readonly uid: string; readonly found: boolean },
): Promise<DispatchError> {
  if (!found && answer === 'rollback') {
    await client.remove('Deployment', namespace, clusterId, { uid, propagationPolicy: 'Foreground' });
  }
  return changing(`the launch of Deployment ${clusterId} was overtaken`);
}

async function createDeployment(
  client: ObjectClient,
  cluster: FlinkCluster,
  owner: Owner,
): Promise<{ readonly uid: string; readonly found: boolean }> {
  const created = await create(client, cluster.namespace, marked(cluster.deployment, owner));
  if (created.status !== 409) return { uid: uidIn(created.body), found: false };
  const name = cluster.clusterId;
  const standing = await client.get<V1Deployment>('Deployment', cluster.namespace, name);
  if (standing === undefined) throw changing(`Deployment ${name} was taken, and is gone`);
  const theirs = ownerIn(standing.metadata);
  if (!isSameOwner(theirs, owner)) {
    throw new DispatchError(
      'ClusterNameTaken',
      `Deployment ${name} exists in namespace ${cluster.namespace} and belongs to ${describeOwner(theirs)}`,
    );
  }
  if (standing.metadata?.deletionTimestamp !== undefined) throw changing(`Deployment ${name} is being deleted`);
  return { uid: uidIn(standing), found: true };
}

async function createDependents(
  client: ObjectClient,
  cluster: FlinkCluster,
  uid: string,
  which: (object: KubernetesObject) => boolean,
): Promise<readonly ('created' | 'found')[]> {
  const objects = cluster.dependents.filter(which);
  return Promise.all(objects.map((object) => createDependent(client, cluster, ownedBy(object, uid), uid)));
}

async function createDependent(
  client: ObjectClient,
  { namespace, clusterId }: FlinkCluster,
  object: KubernetesObject,
  uid: string,
): Promise<'created' | 'found'> {
  const kind = kindOf(object);
  if (kind === 'Secret') {
    await putSecret(client, namespace, object);
    return 'found';
  }
  const response = await create(client, namespace, object);
  if (response.status !== 409) return 'created';
  const name = object.metadata?.name ?? '';
  const standing = await client.get(kind, namespace, name);
  const owners = standing?.metadata?.ownerReferences ?? [];
  if (owners.some((reference) => reference.uid === uid)) return 'found';
  if (standing !== undefined && !owners.some((reference) => isDeployment(reference, clusterId))) {
    throw new DispatchError(
      'ClusterNameTaken',
      `${kind} ${name} exists in namespace ${namespace} and belongs to no cluster ${clusterId}`,
    );
  }
  // Left over from an earlier Deployment of this name, which is gone: garbage, only not collected yet.
  const leftOver = standing?.metadata?.uid;
  if (leftOver !== undefined) await client.remove(kind, namespace, name, { uid: leftOver });
  const again = await create(client, namespace, object);
  if (again.status === 409) throw changing(`${kind} ${name} of an earlier cluster is being deleted`);
  return 'created';
}

/**
 * 201, or 409 for a name that is taken; anything else is an error. Admission is asked before the name is looked at: a quota
 * that the object itself has filled refuses to make it again.
 */
async function create(client: ObjectClient, namespace: string, object: KubernetesObject): Promise<ApiResponse> {
  const kind = kindOf(object);
  const name = object.metadata?.name ?? '';
  const path = collectionPath(kind, namespace);
  const response = await client.request({ method: 'POST', path, body: object, repeatable: true });
  if (succeeded(response)) return response;
  if (response.status === 409 && statusIn(response.body)?.reason === 'AlreadyExists') return response;
  const refusal = statusError(response, { verb: 'create', resource: `${resourceOf(kind)}/${name}`, namespace });
  const stands = refusal.reason !== 'ClusterUnavailable' && (await client.get(kind, namespace, name)) !== undefined;
  if (stands) return { ...response, status: 409 };
  throw refusal;
}

function marked(deployment: V1Deployment, owner: Owner): V1Deployment {
  const { labels, annotations } = ownerMetadata(owner);
  const { metadata } = deployment;
  return {
    ...deployment,
    metadata: {
      ...metadata,
      labels: { ...recommendedLabels(metadata?.name ?? '', 'jobmanager'), ...metadata?.labels, ...labels },
      annotations: { ...metadata?.annotations, ...annotations },
    },
  };
}

function isDeployment(reference: V1OwnerReference, name: string): boolean {
  return reference.kind === 'Deployment' && reference.name === name;
}

function uidIn(body: unknown): string {
  const uid = (body as KubernetesObject).metadata?.uid;
  if (uid === undefined) throw new DispatchError('ClusterUnavailable', 'the Kubernetes API answered without a uid');
  return uid;
}

/** What time alone changes: the caller tries again. */
function changing(what: string): DispatchError {
  return new DispatchError('ClusterUnavailable', what, { retryAfter: 1 });
}
