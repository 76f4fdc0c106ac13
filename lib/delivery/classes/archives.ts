import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { awsStatus, fromAwsError } from '../../core/aws-error.ts';
import { jsonOf } from '../../core/json.ts';
import type { KeepJar } from '../../job/jar/pin.ts';
import { archiveId, classArchive, type ArchiveScope, type ClassArchive } from './archive.ts';

/** Which archive there is of which image. One that is lost is recorded again. */
export interface ClassArchives {
  /** What is not as it should be counts as none. */
  find(scope: ArchiveScope): Promise<ClassArchive | undefined>;
  write(scope: ArchiveScope, archive: ClassArchive): Promise<void>;
}

/** Where nobody records any. */
export const NO_ARCHIVES: Pick<ClassArchives, 'find'> = { find: () => Promise.resolve(undefined) };

/** Expires with the kept jars beside it, of which an archive's bytes are one. */
const PREFIX = 'jars/archives/';

export interface ArchiveStore {
  readonly s3: S3Client;
  readonly bucket: string;
  /** Renews the bytes of one that is still used. */
  readonly keep: KeepJar;
}

export function s3ClassArchives({ s3, bucket, keep }: ArchiveStore): ClassArchives {
  const keyOf = (scope: ArchiveScope): string => `${PREFIX}${archiveId(scope)}.json`;
  return {
    async find(scope) {
      const text = await textOf(s3, bucket, keyOf(scope));
      const archive = classArchive.safeParse(text === undefined ? undefined : jsonOf(text)).data;
      // Its bytes are the deployment's own, wherever the text says that they are.
      if (archive?.bucket !== bucket) return undefined;
      await keep(archive);
      return archive;
    },
    async write(scope, archive) {
      const Key = keyOf(scope);
      const Body = JSON.stringify(archive);
      await s3
        .send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType: 'application/json' }))
        .catch((error: unknown) => {
          throw fromAwsError(error, { action: 's3:PutObject', resource: `s3://${bucket}/${Key}` });
        });
    },
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
