import type { ObjectClient } from '../api/client.ts';
import { selectorOf } from '../api/kinds.ts';
import type { ClusterRef } from './port.ts';
import { isHighAvailability, removeObject } from './remove.ts';

/** No JobManager starts before its Deployment owns its ConfigMap: what nobody owns by then is of an earlier one. */
export async function removeLeftovers(client: ObjectClient, ref: ClusterRef, uid: string): Promise<void> {
  const maps = await client.list('ConfigMap', ref.namespace, { labelSelector: selectorOf(ref), metadataOnly: true });
  const mayHaveStarted = maps.some(({ metadata }) => metadata?.ownerReferences?.some((owner) => owner.uid === uid));
  if (mayHaveStarted) return;
  const left = maps.filter(isHighAvailability);
  await Promise.all(left.map((map) => removeObject(client, 'ConfigMap', ref.namespace, map)));
}
