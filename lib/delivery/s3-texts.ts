import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { awsStatus, fromAwsError } from '../core/aws-error.ts';

/** What is remembered in the ledger bucket beside the bytes of jars. */
export interface S3Texts {
  /** `undefined`: there is none. No more than the first 64 KB. */
  read(key: string): Promise<string | undefined>;
  writeJson(key: string, value: unknown): Promise<void>;
}

const MOST = 'bytes=0-65535';

export function s3Texts(s3: S3Client, bucket: string): S3Texts {
  return {
    async read(key) {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: MOST }));
        return await Body?.transformToString();
      } catch (error) {
        if (awsStatus(error) === 404) return undefined;
        // Of nothing there is no first byte.
        if (awsStatus(error) === 416) return '';
        throw fromAwsError(error, { action: 's3:GetObject', resource: `s3://${bucket}/${key}` });
      }
    },
    async writeJson(key, value) {
      const Body = JSON.stringify(value);
      await s3
        .send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentType: 'application/json' }))
        .catch((error: unknown) => {
          throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${key}` });
        });
    },
  };
}
