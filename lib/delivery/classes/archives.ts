import type { S3Client } from '@aws-sdk/client-s3';
import { jsonOf } from '../../core/json.ts';
import type { KeepJar } from '../../job/jar/pin.ts';
import { s3Texts } from '../s3-texts.ts';
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
  const texts = s3Texts(s3, bucket);
  const keyOf = (scope: ArchiveScope): string => `${PREFIX}${archiveId(scope)}.json`;
  return {
    async find(scope) {
      const text = await texts.read(keyOf(scope));
      const archive = classArchive.safeParse(text === undefined ? undefined : jsonOf(text)).data;
      // Its bytes are the deployment's own, wherever the text says that they are.
      if (archive?.bucket !== bucket) return undefined;
      await keep(archive);
      return archive;
    },
    write: (scope, archive) => texts.writeJson(keyOf(scope), archive),
  };
}
