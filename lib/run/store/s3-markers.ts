import { randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type _Object,
} from '@aws-sdk/client-s3';
import { awsStatus, fromAwsError } from '../../core/aws-error.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { Bucket } from './s3-objects.ts';

/** Each marker is another object than the one before it, so that taking an old one away spares a new one. */
export function putMarker(bucket: Bucket, key: string): Promise<void> {
  return put(bucket, key, randomUUID());
}

/** An object that says all in its key. */
export function putEmpty(bucket: Bucket, key: string): Promise<void> {
  return put(bucket, key, '');
}

async function put({ s3, bucket }: Bucket, key: string, text: string): Promise<void> {
  // Said in words: the SDK takes an empty text for a stream whose length it does not know, and warns each time.
  const content = { Body: text, ContentLength: Buffer.byteLength(text) };
  try {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, ...content }));
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

/** Whichever are there, 1000 at a time. */
export async function removeAll({ s3, bucket }: Bucket, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += 1000) {
    const Objects = keys.slice(at, at + 1000).map((Key) => ({ Key }));
    try {
      const { Errors = [] } = await s3.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
      );
      const [first] = Errors;
      if (first === undefined) continue;
      throw new DispatchError(
        'StorageUnavailable',
        `s3:DeleteObject on ${first.Key ?? bucket}: ${first.Code ?? 'refused'}`,
      );
    } catch (error) {
      throw fromAwsError(error, { action: 's3:DeleteObject', resource: `s3://${bucket}` });
    }
  }
}

export interface MarkerPage {
  readonly objects: readonly _Object[];
  /** Whether there are more behind them. */
  readonly hasMore: boolean;
}

/** In the order of their keys, behind the key `after`; S3 lists at most 1000 at a time. */
export async function pageOfMarkers(
  { s3, bucket }: Bucket,
  prefix: string,
  { after, limit = 1000 }: { readonly after: string | undefined; readonly limit?: number },
): Promise<MarkerPage> {
  try {
    const input = { Bucket: bucket, Prefix: prefix, MaxKeys: Math.min(1000, limit), ...defined({ StartAfter: after }) };
    const { Contents = [], IsTruncated = false } = await s3.send(new ListObjectsV2Command(input));
    return { objects: Contents, hasMore: IsTruncated };
  } catch (error) {
    throw fromAwsError(error, { action: 's3:ListBucket', resource: `s3://${bucket}` });
  }
}

/** The same without a word of what is behind them. */
export async function listMarkers(
  bucket: Bucket,
  prefix: string,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly _Object[]> {
  return (await pageOfMarkers(bucket, prefix, page)).objects;
}

/** When a marker was set, and which one it is. */
export function markOf({ ETag = '', LastModified }: _Object): { readonly markedAt: number; readonly version: string } {
  return { markedAt: LastModified?.getTime() ?? Infinity, version: ETag };
}
