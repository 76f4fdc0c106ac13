import type { ClusterRef, Clusters, Removal } from './port.ts';

/** Removes a cluster and looks at what is left of it: names of objects, none when it is proven gone. */
export async function removeAndVerify(clusters: Clusters, ref: ClusterRef, what: Removal): Promise<readonly string[]> {
  const before = await clusters.remains(ref, what);
  if (before.length === 0) return before;
  await clusters.remove(ref, what);
  return clusters.remains(ref, what);
}
