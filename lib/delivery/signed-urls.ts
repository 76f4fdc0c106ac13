import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Duration } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { describeError, DispatchError } from '../core/errors.ts';
import type { ObjectRef } from '../job/jar/objects.ts';

/** A URL by which anybody may read the object for that time; made without a request. */
export type SignUrl = (object: ObjectRef, ttl: Duration) => Promise<string>;

const MINUTE: Duration = 60_000;

/**
 * How long a URL of that life is relied upon: an early end of the credentials that signed it is possible, too.
 */
export function renewalAfter(ttl: Duration): Duration {
  return Math.min(15 * MINUTE, Math.floor(ttl / 3));
}

/** Signs so that anybody may write that object for that time. The client computes no checksum of a body that it does not have. */
export function signedUploads(s3: S3Client): SignUrl {
  return (object, ttl) => signed(s3, new PutObjectCommand({ Bucket: object.bucket, Key: object.key }), object, ttl);
}

/** A signed URL ends after `ttl`, or with the credentials that signed it. @throws DispatchError `StorageUnavailable` */
export function signedUrls(s3: S3Client): SignUrl {
  return (object, ttl) => {
    const version = defined({ VersionId: object.versionId });
    return signed(s3, new GetObjectCommand({ Bucket: object.bucket, Key: object.key, ...version }), object, ttl);
  };
}

async function signed(
  s3: S3Client,
  command: GetObjectCommand | PutObjectCommand,
  { bucket, key }: ObjectRef,
  ttl: Duration,
): Promise<string> {
  try {
    return await getSignedUrl(s3, command, { expiresIn: Math.max(1, Math.floor(ttl / 1000)) });
  } catch (error) {
    const message = `no URL could be signed for s3://${bucket}/${key}: ${describeError(error)}`;
    throw new DispatchError('StorageUnavailable', message, { cause: error });
  }
}
