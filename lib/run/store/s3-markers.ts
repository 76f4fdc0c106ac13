import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand, type _Object } from '@aws-sdk/client-s3';
import { awsStatus, fromAwsError } from '../../core/aws-error.ts';
import { defined } from '../../core/defined.ts';
import type { Bucket } from './s3-objects.ts';

/** Each marker is another object than the one before it, so that taking an old one away spares a new one. */
export async function putMarker({ s3, bucket }: Bucket, key: string): Promise<void> {
  try {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: randomUUID() }));
  } catch (error) {
    throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${key}` });
  }
}

/** `version`: takes away that one alone; absent: whichever is there. */
export async function removeMarker({ s3, bucket }: Bucket, key: string, version?: string): Promise<void> {
  const condition = defined({ IfMatch: version });
  try {
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, ...condition }));
  } catch (error) {
    // 412: marked anew. 409: at this moment. 404: gone already.
    if (version !== undefined && [404, 409, 412].includes(awsStatus(error) ?? 0)) return;
    throw fromAwsError(error, { action: 's3:DeleteObject', resource: `s3://${bucket}/${key}` });
  }
}

/** In the order of their keys, behind the key `after`; S3 lists at most 1000 at a time. */
export async function listMarkers(
  { s3, bucket }: Bucket,
  prefix: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly _Object[]> {
  try {
    const input = { Bucket: bucket, Prefix: prefix, MaxKeys: Math.min(1000, limit), ...defined({ StartAfter: after }) };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command(input));
    return Contents;
  } catch (error) {
    throw fromAwsError(error, { action: 's3:ListBucket', resource: `s3://${bucket}` });
  }
}

/** When a marker was set, and which one it is. */
export function markOf({ ETag = '', LastModified }: _Object): { readonly markedAt: number; readonly version: string } {
  return { markedAt: LastModified?.getTime() ?? Infinity, version: ETag };
}
