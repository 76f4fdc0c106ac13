import type { S3Client } from '@aws-sdk/client-s3';
import type { Duration } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { ClusterId } from '../../core/ids.ts';
import { jsonOf } from '../../core/json.ts';
import { INCOMING_JARS, type PinJar } from '../../job/jar/pin.ts';
import { s3Texts } from '../s3-texts.ts';
import type { SignUrl } from '../signed-urls.ts';
import { recording, type ArchiveScope, type ClassArchive } from './archive.ts';
import type { ClassArchives } from './archives.ts';
import type { UploadUrls } from './warm-up.ts';

/** How long a pod may take to record: an image that is pulled, and a minute of two processors. */
export const RECORDING_LIMIT: Duration = 15 * 60_000;

export interface RecordDeps {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly sign: SignUrl;
  readonly pin: PinJar;
  readonly archives: Pick<ClassArchives, 'write'>;
}

/** Where the pod of that cluster leaves what it recorded; the bucket's rules remove it a day later. */
function keysOf(clusterId: ClusterId): { readonly archive: string; readonly report: string } {
  const prefix = `${INCOMING_JARS}classes-${clusterId}`;
  return { archive: `${prefix}/flink.jsa`, report: `${prefix}/report.json` };
}

export async function uploadUrls(clusterId: ClusterId, { bucket, sign }: RecordDeps): Promise<UploadUrls> {
  const keys = keysOf(clusterId);
  const [archive, report] = await Promise.all(
    [keys.archive, keys.report].map((key) => sign({ bucket, key }, RECORDING_LIMIT)),
  );
  return { archive: archive ?? '', report: report ?? '' };
}

/**
 * What the pod has recorded, kept as that of its image from now on; `undefined`: it has not ended yet.
 * @throws DispatchError `Internal` with what the pod says of its failure, or where what arrived is not what it says
 */
export async function takeIn(
  scope: ArchiveScope,
  pod: { readonly clusterId: ClusterId; readonly imageDigest?: string },
  deps: RecordDeps,
): Promise<ClassArchive | undefined> {
  const keys = keysOf(pod.clusterId);
  const text = await s3Texts(deps.s3, deps.bucket).read(keys.report);
  if (text === undefined) return undefined;
  const said = recording.safeParse(jsonOf(text)).data ?? { error: 'it reports nothing that can be read' };
  if ('error' in said) throw notRecorded(scope, said.error);
  const { bucket } = deps;
  const { pinned } = await deps.pin({ uri: `s3://${bucket}/${keys.archive}`, s3: { bucket, key: keys.archive } });
  if (pinned?.sha256 !== said.sha256) throw notRecorded(scope, 'what arrived is not what was recorded');
  const { classPath, java } = said;
  const archive = { ...pinned, classPath, java, ...defined({ imageDigest: pod.imageDigest }) };
  await deps.archives.write(scope, archive);
  return archive;
}

function notRecorded({ image }: ArchiveScope, why: string): DispatchError {
  return new DispatchError('Internal', `the classes of ${image} were not recorded: ${why}`);
}
