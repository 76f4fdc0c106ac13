import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { awsCode, awsStatus, fromAwsError } from '../../core/aws-error.ts';
import { DispatchError } from '../../core/errors.ts';

export interface Bucket {
  readonly s3: S3Client;
  readonly bucket: string;
  /** Waits before a write is tried again; default: a timer. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** `absent`: only when no object is there (`If-None-Match: *`); an ETag: only when the object is still that one (`If-Match`). */
export type Condition = 'absent' | { readonly eTag: string };

export interface StoredText {
  readonly text: string;
  readonly eTag: string;
  /** Names the write that made this object. */
  readonly writeId: string | undefined;
}

const CONFLICT_RETRIES = 5;
/** Metadata by which a write whose answer was lost is recognised when the SDK sends it again. */
const WRITE_ID = 'write-id';

/**
 * Writes a text under a condition; `undefined` when the condition does not hold.
 * @throws DispatchError as `fromAwsError`
 */
export async function putIf(
  { s3, bucket, sleep = setTimeout }: Bucket,
  key: string,
  text: string,
  condition: Condition,
  contentType = 'application/json',
): Promise<string | undefined> {
  const writeId = randomUUID();
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: text,
          ContentType: contentType,
          Metadata: { [WRITE_ID]: writeId },
          ...(condition === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: condition.eTag }),
        }),
      );
      return requireETag(answer.ETag, key);
    } catch (error) {
      const verdict = judge(error);
      if (verdict === 'conflict' && tries < CONFLICT_RETRIES) {
        await sleep(10 * 2 ** tries * Math.random());
        continue;
      }
      if (verdict === 'refused') return ownWrite({ s3, bucket }, key, writeId);
      throw failure(error, verdict, bucket, key);
    }
  }
}

/**
 * `refused` (412, and 404 for If-Match on an object that is gone): the condition does not hold. `conflict` (409): another
 * conditional write or a delete was under way, and S3 asks to try again.
 */
function judge(error: unknown): 'refused' | 'conflict' | 'error' {
  const status = awsStatus(error);
  if (status === 412 || awsCode(error) === 'NoSuchKey') return 'refused';
  return status === 409 ? 'conflict' : 'error';
}

/** The SDK repeats a request whose answer was lost: then the condition fails because the write had succeeded. */
async function ownWrite(bucket: Bucket, key: string, writeId: string): Promise<string | undefined> {
  const stored = await getText(bucket, key);
  return stored?.writeId === writeId ? stored.eTag : undefined;
}

function failure(error: unknown, verdict: 'conflict' | 'error', bucket: string, key: string): DispatchError {
  const resource = `s3://${bucket}/${key}`;
  if (verdict === 'error') return fromAwsError(error, { action: 's3:PutObject', resource });
  return new DispatchError('StorageUnavailable', `s3:PutObject on ${resource} met other writes each time`, {
    cause: error,
  });
}

/** Writes a text, or bytes, whatever was there. @throws DispatchError as `fromAwsError` */
export async function putObject(
  { s3, bucket }: Bucket,
  key: string,
  body: string | Uint8Array,
  contentType = 'application/json',
): Promise<void> {
  try {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }));
  } catch (error) {
    throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${key}` });
  }
}

/** @throws DispatchError as `fromAwsError` */
export async function getText({ s3, bucket }: Bucket, key: string): Promise<StoredText | undefined> {
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const text = (await answer.Body?.transformToString()) ?? '';
    return { text, eTag: requireETag(answer.ETag, key), writeId: answer.Metadata?.[WRITE_ID] };
  } catch (error) {
    if (awsCode(error) === 'NoSuchKey') return undefined;
    throw fromAwsError(error, { action: 's3:GetObject', resource: `s3://${bucket}/${key}` });
  }
}

function requireETag(eTag: string | undefined, key: string): string {
  if (eTag === undefined) throw new DispatchError('Internal', `S3 gave no ETag for ${key}`);
  return eTag;
}
