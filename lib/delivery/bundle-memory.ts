import { jsonOf } from '../core/json.ts';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { fromAwsError } from '../core/aws-error.ts';
import type { PinnedJar } from '../job/job.ts';
import { s3Texts } from './s3-texts.ts';

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
  const texts = s3Texts(s3, bucket);
  const keyOf = (kind: string, key: string): string => `${PREFIX}${kind}/${key}.json`;
  return {
    async read(kind, key) {
      const text = await texts.read(keyOf(kind, key));
      const parsed = remembered.safeParse(text === undefined ? undefined : jsonOf(text));
      return parsed.data;
    },
    write: (kind, key, made) => texts.writeJson(keyOf(kind, key), made),
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
