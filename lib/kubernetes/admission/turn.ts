import type { V1ConfigMap } from '@kubernetes/client-node';
import type { Instant } from '../../core/clock.ts';
import type { ObjectClient } from '../api/client.ts';
import { collectionPath } from '../api/kinds.ts';
import { statusError, statusIn, succeeded } from '../api/status-error.ts';
import { isSameOwner, ownerIn, ownerMetadata } from '../cluster/owner-metadata.ts';
import type { Owner } from '../cluster/port.ts';

/** The ConfigMap that whoever admits a cluster to the namespace has made: two cannot be admitted to the same room. */
const NAME = 'flink-dispatch-admission';
/** Much more than an admission takes: who holds it so long has died. */
const STALE = 60_000;

/**
 * Takes the turn to admit a cluster, or finds that the owner has it. @returns the uid of the turn; `undefined`: another
 * owner has it
 */
export async function takeTurn(
  client: ObjectClient,
  namespace: string,
  owner: Owner,
  now: Instant,
): Promise<string | undefined> {
  const { labels, annotations } = ownerMetadata(owner);
  const body: V1ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: NAME, namespace, labels: { 'app.kubernetes.io/name': 'flink-dispatch', ...labels }, annotations },
  };
  const path = collectionPath('ConfigMap', namespace);
  const response = await client.request({ method: 'POST', path, body, repeatable: true });
  if (succeeded(response)) return (response.body as V1ConfigMap).metadata?.uid;
  if (response.status !== 409 || statusIn(response.body)?.reason !== 'AlreadyExists') {
    throw statusError(response, { verb: 'create', resource: `configmaps/${NAME}`, namespace });
  }
  const { metadata } = (await client.get<V1ConfigMap>('ConfigMap', namespace, NAME)) ?? {};
  if (isSameOwner(ownerIn(metadata), owner)) return metadata?.uid;
  const { uid, creationTimestamp } = metadata ?? {};
  if (uid !== undefined && now - Date.parse(String(creationTimestamp)) >= STALE)
    await giveTurnBack(client, namespace, uid);
  return undefined;
}

/** False: it was taken over. */
export function giveTurnBack(client: ObjectClient, namespace: string, uid: string): Promise<boolean> {
  return client.remove('ConfigMap', namespace, NAME, { uid });
}
