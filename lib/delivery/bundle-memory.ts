import { jsonOf } from '../core/json.ts';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { awsStatus, fromAwsError } from '../core/aws-error.ts';
import type { PinnedJar } from '../job/job.ts';

export interface Remembered {
  /** Of a layer or of an image. */
  readonly digest: string;
  /** Flink's home in the image. */
  readonly home: string;
}

/** What was made of which content; losing it costs a second upload. */
export interface BundleMemory {
  read(kind: 'layers' | 'images', key: string): Promise<Remembered | undefined>;
  write(kind: 'layers' | 'images', key: string, made: Remembered): Promise<void>;
}

/** Expires with the jars beside it. */
const PREFIX = 'jars/bundles/';

const remembered = z.strictObject({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  home: z.string().regex(/^\/[\x21-\x7e]+$/),
});

export function s3BundleMemory(s3: S3Client, bucket: string): BundleMemory {
  const keyOf = (kind: string, key: string): string => `${PREFIX}${kind}/${key}.json`;
  return {
    async read(kind, key) {
      const text = await textOf(s3, bucket, keyOf(kind, key));
      const parsed = remembered.safeParse(text === undefined ? undefined : jsonOf(text));
      return parsed.data;
    },
    async write(kind, key, made) {
      const Key = keyOf(kind, key);
      const Body = JSON.stringify(made);
      await s3
        .send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType: 'application/json' }))
        .catch((error: unknown) => {
          throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${Key}` });
        });
    },
  };
}

/** The bytes of a kept jar, as they come; the request is made when the first is wanted. */
export function keptBytes(s3: S3Client): (object: PinnedJar) => AsyncIterable<Uint8Array> {
  return async function* ({ bucket, key }) {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      yield* (Body ?? []) as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw fromAwsError(error, { action: 's3:GetObject', resource: `s3://${bucket}/${key}` });
    }
  };
}

async function textOf(s3: S3Client, bucket: string, key: string): Promise<string | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return await Body?.transformToString();
  } catch (error) {
    if (awsStatus(error) === 404) return undefined;
    throw fromAwsError(error, { action: 's3:GetObject', resource: `s3://${bucket}/${key}` });
  }
}
