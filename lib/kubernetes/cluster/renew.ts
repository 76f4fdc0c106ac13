import type { KubernetesObject, V1Deployment, V1OwnerReference, V1Secret } from '@kubernetes/client-node';
import type { ObjectClient } from '../api/client.ts';
import { collectionPath, kindOf, objectPath, resourceOf } from '../api/kinds.ts';
import { isSameOwner, ownerIn } from './owner-metadata.ts';
import type { ClusterRef, Owner } from './port.ts';
import { statusError, statusIn, succeeded } from '../api/status-error.ts';

const MERGE = 'application/merge-patch+json';
/** The answer is the object's name and marks alone: what a Secret holds besides does not come back. */
const WITHOUT_DATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/**
 * Writes objects of a standing cluster anew, those that are gone as well. `absent`: the owner has no such cluster, or it
 * is on its way out; nothing is written.
 */
export async function renewObjects(
  client: ObjectClient,
  { namespace, clusterId }: ClusterRef,
  owner: Owner,
  objects: readonly KubernetesObject[],
): Promise<'renewed' | 'absent'> {
  const { metadata } = (await client.get<V1Deployment>('Deployment', namespace, clusterId)) ?? {};
  const uid = metadata?.uid;
  const ours = isSameOwner(ownerIn(metadata), owner);
  if (uid === undefined || !ours || metadata?.deletionTimestamp !== undefined) return 'absent';
  await Promise.all(objects.map((object) => put(client, namespace, ownedBy(object, uid))));
  return 'renewed';
}

/**
 * Without reading it: who may read Secrets reads those of everybody. Its name is the cluster's, whose Deployment is ours
 * by now, so what has it is our own earlier work or that of a cluster which is gone.
 */
export async function putSecret(client: ObjectClient, namespace: string, secret: V1Secret): Promise<void> {
  const path = collectionPath('Secret', namespace);
  const created = await client.request({ method: 'POST', path, body: secret, repeatable: true });
  if (created.status === 409 && statusIn(created.body)?.reason === 'AlreadyExists') {
    await put(client, namespace, secret);
  } else if (!succeeded(created)) {
    throw statusError(created, { verb: 'create', resource: nameOf(secret), namespace });
  }
}

async function put(client: ObjectClient, namespace: string, object: KubernetesObject): Promise<void> {
  const kind = kindOf(object);
  const path = objectPath(kind, namespace, object.metadata?.name ?? '');
  const patched = await client.request({
    method: 'PATCH',
    path,
    body: object,
    contentType: MERGE,
    accept: WITHOUT_DATA,
  });
  if (succeeded(patched)) return;
  if (patched.status !== 404) throw statusError(patched, { verb: 'patch', resource: nameOf(object), namespace });
  const again = { method: 'POST', path: collectionPath(kind, namespace), body: object, repeatable: true } as const;
  const created = await client.request(again);
  if (!succeeded(created)) throw statusError(created, { verb: 'create', resource: nameOf(object), namespace });
}

function nameOf(object: KubernetesObject): string {
  return `${resourceOf(kindOf(object))}/${object.metadata?.name ?? ''}`;
}

/** With the uid of the Deployment that is there: its owner references lack only that. */
export function ownedBy(object: KubernetesObject, uid: string): KubernetesObject {
  const references: readonly V1OwnerReference[] = object.metadata?.ownerReferences ?? [];
  const ownerReferences = references.map((reference) => ({ ...reference, uid }));
  return { ...object, metadata: { ...object.metadata, ownerReferences } };
}
