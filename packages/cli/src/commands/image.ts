import { randomBytes } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { defined } from '../../../../lib/core/defined.ts';
import { DispatchError } from '../../../../lib/core/errors.ts';
import { runIdFor } from '../../../../lib/core/ids.ts';
import type { ArchiveScope, ClassArchive } from '../../../../lib/delivery/classes/archive.ts';
import { s3ClassArchives } from '../../../../lib/delivery/classes/archives.ts';
import { RECORDING_LIMIT, takeIn, uploadUrls, type RecordDeps } from '../../../../lib/delivery/classes/record.ts';
import { warmUpCluster } from '../../../../lib/delivery/classes/warm-up.ts';
import { signedUploads } from '../../../../lib/delivery/signed-urls.ts';
import { findFailure } from '../../../../lib/diagnosis/findings.ts';
import type { FlinkCluster } from '../../../../lib/flink/cluster.ts';
import { pathStyle } from '../../../../lib/http/path-style.ts';
import { s3Pins } from '../../../../lib/job/jar/s3-pins.ts';
import { mainContainer } from '../../../../lib/kubernetes/cluster/containers.ts';
import { ownerMetadata } from '../../../../lib/kubernetes/cluster/owner-metadata.ts';
import type { Clusters, KubernetesFacts, RunOwner } from '../../../../lib/kubernetes/cluster/port.ts';
import { removeAndVerify } from '../../../../lib/kubernetes/cluster/remove-and-verify.ts';
import { checkedCluster } from '../clusters/checked-cluster.ts';
import { connect } from '../clusters/connect.ts';
import { valueOf, has, type Execute } from '../command.ts';
import { onlyArgument } from '../flags/only-argument.ts';
import { clusterRequest } from '../flags/request.ts';
import { readSettings } from '../flags/settings.ts';
import { openLedgerBucket, type LedgerBucket } from '../ledger-bucket.ts';
import { printJson, type Io } from '../terminal/io.ts';
import { createProgress } from '../terminal/progress.ts';

const LOOK = 1_000;

/** Records the classes of an image in a pod of it, and keeps them for the runs whose jobs say `fastStart`. */
export const warm: Execute = async (io, parsed) => {
  const image = onlyArgument(parsed, 'image warm <image>');
  const clusterId = `warm-${randomBytes(8).toString('hex')}`;
  const options = { 'kubernetes.container.image.ref': image, 'kubernetes.cluster-id': clusterId };
  const settings = readSettings(io, { ...parsed, properties: { ...parsed.properties, ...options } });
  const ledger = await openLedgerBucket(io, parsed);
  const { clusters } = await connect(settings, io);
  const scope: ArchiveScope = {
    target: valueOf(parsed, 'for') ?? 'default',
    image,
    ...defined({ tenant: valueOf(parsed, 'tenant') }),
  };
  const deps = recordDeps(io, ledger);
  const owner: RunOwner = { kind: 'run', runId: runIdFor(clusterId), attempt: 1, ledger: ledger.bucket };
  const request = { ...clusterRequest(settings, parsed, 'session'), marks: ownerMetadata(owner) };
  const cluster = checkedCluster(io, request);
  const urls = await uploadUrls(cluster.clusterId, deps);
  try {
    await clusters.apply(warmUpCluster(cluster, settings.flinkVersion, urls), owner);
    const archive = await untilRecorded({ io, clusters, cluster }, scope, deps, ledger);
    tell(io, has(parsed, 'json'), scope, archive);
    return 0;
  } finally {
    await removed(io, clusters, cluster, owner);
  }
};

function recordDeps(io: Io, { s3, bucket }: LedgerBucket): RecordDeps {
  const { pin, refresh } = s3Pins({ s3, bucket, clock: io.clock });
  // A checksum of nothing would be signed with the URL.
  const plain = new S3Client({
    ...pathStyle(io.env),
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  return { s3, bucket, sign: signedUploads(plain), pin, archives: s3ClassArchives({ s3, bucket, keep: refresh }) };
}

interface Recording {
  readonly io: Io;
  readonly clusters: Clusters;
  readonly cluster: FlinkCluster;
}

/** @throws DispatchError with the reason for which the pod does not record, or with what it says */
async function untilRecorded(
  { io, clusters, cluster }: Recording,
  scope: ArchiveScope,
  deps: RecordDeps,
  { asked }: LedgerBucket,
): Promise<ClassArchive> {
  const progress = createProgress(io);
  const until = io.clock.now() + RECORDING_LIMIT;
  const { clusterId } = cluster;
  try {
    for (;;) {
      const facts = await clusters.observe(cluster);
      const archive = await asked(takeIn(scope, { clusterId, ...defined({ imageDigest: digestOf(facts) }) }, deps));
      if (archive !== undefined) return archive;
      const finding = findFailure(facts, io.clock.now());
      if (finding?.certainty === 'final') throw new DispatchError(finding.reason, finding.message);
      const late = io.clock.now() >= until || io.interrupted.aborted;
      if (late) throw new DispatchError('ClusterUnavailable', finding?.message ?? 'nothing has been recorded yet');
      progress.say(finding?.message ?? 'the classes are being recorded');
      await io.clock.sleep(LOOK);
    }
  } finally {
    progress.end();
  }
}

function digestOf({ pods }: KubernetesFacts): string | undefined {
  const own = pods.filter(({ component }) => component === 'jobmanager');
  return own.map(mainContainer).find((main) => main !== undefined)?.imageDigest;
}

/** The pod waits to be removed. What a look still finds goes with the sweeper. */
async function removed(io: Io, clusters: Clusters, cluster: FlinkCluster, owner: RunOwner): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    const left = await removeAndVerify(clusters, cluster, { highAvailability: false, owner });
    if (left.length === 0) return;
    await io.clock.sleep(LOOK);
  }
  io.err(`Deployment ${cluster.clusterId} is still being removed\n`);
}

function tell(io: Io, json: boolean, scope: ArchiveScope, archive: ClassArchive): void {
  const { sha256, size, java, imageDigest } = archive;
  if (json) {
    printJson(io, { ...scope, sha256, size, java, ...defined({ imageDigest }) });
    return;
  }
  const mebibytes = Math.round(size / 1024 ** 2);
  io.out(`The classes of ${scope.image} are recorded: ${mebibytes} MiB for Java ${java}, target ${scope.target}\n`);
}
