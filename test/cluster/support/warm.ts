import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { runIdFor } from '../../../lib/core/ids.ts';
import type { ArchiveScope, ClassArchive } from '../../../lib/delivery/classes/archive.ts';
import { s3ClassArchives } from '../../../lib/delivery/classes/archives.ts';
import { takeIn, uploadUrls, type RecordDeps } from '../../../lib/delivery/classes/record.ts';
import { warmUpCluster } from '../../../lib/delivery/classes/warm-up.ts';
import { signedUploads } from '../../../lib/delivery/signed-urls.ts';
import { buildCluster } from '../../../lib/flink/native/build-cluster.ts';
import { s3Pins } from '../../../lib/job/jar/s3-pins.ts';
import { createClusters } from '../../../lib/kubernetes/cluster/clusters.ts';
import { ownerMetadata } from '../../../lib/kubernetes/cluster/owner-metadata.ts';
import type { RunOwner } from '../../../lib/kubernetes/cluster/port.ts';
import { removeAndVerify } from '../../../lib/kubernetes/cluster/remove-and-verify.ts';
import type { Storage } from './s3.ts';
import type { Tenant } from './tenant.ts';

const PATIENCE = 900;

export const scopeOf = (image: string): ArchiveScope => ({ target: 'default', image });

export function recordDeps({ s3, ledgerBucket: bucket }: Storage): RecordDeps {
  const { pin, refresh } = s3Pins({ s3, bucket, clock: { now: () => Date.now() } });
  return { s3, bucket, sign: signedUploads(s3), pin, archives: s3ClassArchives({ s3, bucket, keep: refresh }) };
}

/** Records an image's classes on a real cluster, with the rights of the dispatcher's Role. */
export async function warmImage(
  { namespace, api }: Tenant,
  { image, version, storage }: { readonly image: string; readonly version: string; readonly storage: Storage },
): Promise<ClassArchive> {
  const clusters = createClusters(api);
  const deps = recordDeps(storage);
  const name = `warm-${randomBytes(4).toString('hex')}`;
  const owner: RunOwner = { kind: 'run', runId: runIdFor(name), attempt: 1 };
  const cluster = buildCluster({
    ...{ flinkVersion: version, mode: 'session', marks: ownerMetadata(owner) },
    options: {
      ...{ 'kubernetes.cluster-id': name, 'kubernetes.namespace': namespace, 'kubernetes.service-account': 'flink' },
      ...{ 'execution.target': 'kubernetes-session', 'kubernetes.container.image.ref': image },
    },
  });
  const { clusterId } = cluster;
  const urls = await uploadUrls(clusterId, deps);
  await clusters.apply(warmUpCluster(cluster, version, urls), owner);
  try {
    for (const end = Date.now() + PATIENCE * 1000; Date.now() < end; await sleep(500)) {
      const archive = await takeIn(scopeOf(image), { clusterId }, deps);
      if (archive !== undefined) return archive;
    }
    throw new Error(`the classes of ${image} were not recorded within ${PATIENCE} s`);
  } finally {
    while ((await removeAndVerify(clusters, cluster, { highAvailability: false, owner })).length > 0) await sleep(500);
  }
}
