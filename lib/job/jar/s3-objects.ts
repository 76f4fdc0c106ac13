import {
  GetObjectCommand,
  HeadObjectCommand,
  type GetObjectCommandOutput,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { defined } from '../../core/defined.ts';
import { describeError, DispatchError } from '../../core/errors.ts';
import type { ByteRange, ObjectHead, ObjectRef, ObjectStore } from './objects.ts';

/** Objects in S3. */
export function s3Objects(client: S3Client): ObjectStore {
  const head = async (ref: ObjectRef): Promise<ObjectHead> => {
    const output = await ask(ref, () => client.send(new HeadObjectCommand(inputOf(ref))));
    return headOf(output, output.ContentLength ?? 0);
  };
  return { head, read: (ref, range) => read(client, head, ref, range), text: (ref, limit) => text(client, ref, limit) };
}

async function read(
  client: S3Client,
  head: (ref: ObjectRef) => Promise<ObjectHead>,
  ref: ObjectRef,
  range: ByteRange,
): Promise<{ head: ObjectHead; bytes: Uint8Array }> {
  try {
    const output = await client.send(new GetObjectCommand({ ...inputOf(ref), Range: rangeText(range) }));
    const total = /\/(\d+)$/.exec(output.ContentRange ?? '')?.[1];
    const bytes = await bodyOf(output);
    return { head: headOf(output, total === undefined ? bytes.length : Number(total)), bytes };
  } catch (error) {
    // An object without a byte has no range.
    if (statusOf(error) === 416) return { head: await head(ref), bytes: new Uint8Array() };
    throw jarError(error, ref);
  }
}

/** Bytes of a key, at most; S3 answers 400 for a longer one. */
const MAX_KEY = 1024;

async function text(client: S3Client, ref: ObjectRef, limit: number): Promise<string | undefined> {
  if (Buffer.byteLength(ref.key) > MAX_KEY) return undefined;
  try {
    const output = await client.send(new GetObjectCommand(inputOf(ref)));
    if ((output.ContentLength ?? 0) > limit) {
      abandon(output);
      throw new DispatchError('InvalidSpec', `${uriOf(ref)} is larger than ${limit} bytes`);
    }
    return Buffer.from(await bodyOf(output)).toString('utf8');
  } catch (error) {
    if (error instanceof DispatchError) throw error;
    const known = jarError(error, ref);
    if (known.reason === 'JarNotFound') return undefined;
    throw known;
  }
}

async function ask<T>(ref: ObjectRef, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw jarError(error, ref);
  }
}

async function bodyOf(output: GetObjectCommandOutput): Promise<Uint8Array> {
  return output.Body === undefined ? new Uint8Array() : output.Body.transformToByteArray();
}

function abandon(output: GetObjectCommandOutput): void {
  const body = output.Body as { destroy?: () => void } | undefined;
  body?.destroy?.();
}

function inputOf({ bucket, key, versionId, eTag }: ObjectRef): {
  Bucket: string;
  Key: string;
  VersionId?: string;
  IfMatch?: string;
} {
  return {
    Bucket: bucket,
    Key: key,
    ...defined({ VersionId: versionId }),
    ...(eTag === undefined || versionId !== undefined ? {} : { IfMatch: `"${eTag}"` }),
  };
}

function rangeText({ offset, length }: ByteRange): string {
  return offset === undefined ? `bytes=-${length}` : `bytes=${offset}-${offset + length - 1}`;
}

function headOf(output: GetObjectCommandOutput | HeadObjectCommandOutput, size: number): ObjectHead {
  // Without versioning the version is the word `null`, and it is not kept.
  const versionId = output.VersionId === 'null' ? undefined : output.VersionId;
  return {
    size,
    eTag: (output.ETag ?? '').replace(/^"|"$/g, ''),
    ...defined({ versionId }),
    metadata: output.Metadata ?? {},
  };
}

/** Errors with a status of 4xx that another try may not meet. */
const TRANSIENT = /Expired|RequestTime|InvalidToken|SlowDown|Throttl/;

/** Without the right to list the bucket, S3 answers 403 for an object that is not there. */
export function jarError(error: unknown, ref: ObjectRef): DispatchError {
  const status = statusOf(error);
  const name = error instanceof Error ? error.name : '';
  const details = { field: 'job.jarURI', cause: error };
  const uri = uriOf(ref);
  // 405: the version is a delete marker.
  if (TRANSIENT.test(name))
    return new DispatchError('StorageUnavailable', `S3 gave no answer for ${uri}: ${name}`, { cause: error });
  if (status === 404 || status === 405) return new DispatchError('JarNotFound', `${uri} does not exist`, details);
  if (status === 412)
    return new DispatchError(
      'JarNotFound',
      `${uri} was overwritten since this request: the newer content has an event of its own`,
      details,
    );
  const closed = closedFor(name, error);
  if (closed !== undefined) return new DispatchError('JarAccessDenied', `${uri} ${closed}`, details);
  if (status === 301 || status === 400)
    return new DispatchError('JarAccessDenied', `${uri} cannot be read: ${describeError(error)}`, details);
  if (status === 403) {
    return new DispatchError(
      'JarAccessDenied',
      `${uri} does not exist or may not be read: the function's role needs s3:GetObject on it and s3:ListBucket on its bucket`,
      details,
    );
  }
  return new DispatchError('StorageUnavailable', `S3 gave no answer for ${uri}: ${describeError(error)}`, {
    cause: error,
  });
}

/** The object is there, and reading it needs more than the right to read objects; S3 answers 403, or 400. */
function closedFor(name: string, error: unknown): string | undefined {
  if (name === 'InvalidObjectState')
    return 'is archived (S3 Glacier): restore it, or keep jars in a storage class that can be read at once';
  const said = `${name} ${error instanceof Error ? error.message : ''}`;
  if (!/kms/i.test(said)) return undefined;
  return `is encrypted with a KMS key that the function's role may not use: it needs kms:Decrypt on the key, also by the key's own policy`;
}

function statusOf(error: unknown): number | undefined {
  const metadata = (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata;
  return metadata?.httpStatusCode;
}

function uriOf({ bucket, key }: ObjectRef): string {
  return `s3://${bucket}/${key}`;
}
