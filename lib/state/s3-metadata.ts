import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { awsCode, awsStatus } from '../core/aws-error.ts';
import { DispatchError } from '../core/errors.ts';
import { MetadataError } from './metadata/cursor.ts';
import { MAGIC, readMetadata, type SnapshotContent } from './metadata/read-metadata.ts';
import { failure, joined, uriOf, type Place } from './s3-place.ts';
import type { StoredState } from './storage.ts';

export const METADATA = '_metadata';

/** `undefined` too for what is no metadata: Flink would not read it either. */
export async function metadata(s3: S3Client, place: Place): Promise<StoredState | undefined> {
  const answer = await getMetadata(s3, place, HEADER);
  return answer && headerOf(answer);
}

/** The first bytes of it. */
async function getMetadata(
  s3: S3Client,
  place: Place,
  length: number,
): Promise<(GetObjectCommandOutput & { readonly bytes: Buffer }) | undefined> {
  const key = joined(place.key, METADATA);
  try {
    const Range = `bytes=0-${length - 1}`;
    const answer = await s3.send(new GetObjectCommand({ Bucket: place.bucket, Key: key, Range }));
    return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  } catch (error) {
    // 416: it has no byte.
    if ([404, 416].includes(awsStatus(error) ?? 0) && awsCode(error) !== 'NoSuchBucket') return undefined;
    throw failure(error, 's3:GetObject', uriOf({ ...place, key }));
  }
}

type Answer = NonNullable<Awaited<ReturnType<typeof getMetadata>>>;

/** The magic number, the version of the format, then the id, all big-endian. */
const HEADER = 16;

function headerOf(answer: Answer): StoredState | undefined {
  const { bytes } = answer;
  if (bytes.length < HEADER || bytes.readInt32BE(0) !== MAGIC) return undefined;
  return {
    at: answer.LastModified?.getTime() ?? 0,
    bytes: sizeOf(answer),
    checkpointId: Number(bytes.readBigInt64BE(8)),
  };
}

/** Of the whole object. */
function sizeOf({ bytes, ContentRange = '' }: Answer): number {
  return Number(/\/(\d+)$/.exec(ContentRange)?.[1] ?? bytes.length);
}

/** State below `execution.checkpointing.data-inline-threshold` is in the metadata; what is larger than that is not read. */
const MOST = 32 * 2 ** 20;

export async function content(s3: S3Client, place: Place): Promise<SnapshotContent | undefined> {
  const answer = await getMetadata(s3, place, MOST);
  if (answer === undefined) return undefined;
  const size = sizeOf(answer);
  try {
    if (size > MOST) throw new MetadataError(`of its ${size} bytes no more than ${MOST} are read`, MOST);
    return readMetadata(answer.bytes);
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    const uri = uriOf({ ...place, key: joined(place.key, METADATA) });
    throw new DispatchError('StateUnreadable', `${uri} cannot be read: ${error.message}`, { cause: error });
  }
}
