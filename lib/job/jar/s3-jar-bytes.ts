import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { DispatchError } from '../../core/errors.ts';
import { Payload } from '../../core/payload.ts';
import type { Jar } from '../job.ts';
import { jarError } from './s3-objects.ts';

/** The bytes of a run's own copy of its jar, read while they are sent. */
export function s3JarBytes(s3: S3Client): (jar: Jar) => Promise<Payload> {
  return ({ uri, pinned }) => {
    if (pinned === undefined)
      return Promise.reject(new DispatchError('Internal', `${uri} has no copy of this deployment`));
    const { bucket, key, size } = pinned;
    return Promise.resolve(
      new Payload(size, async function* () {
        try {
          const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
          yield* (Body ?? []) as AsyncIterable<Uint8Array>;
        } catch (error) {
          throw jarError(error, { bucket, key });
        }
      }),
    );
  };
}
