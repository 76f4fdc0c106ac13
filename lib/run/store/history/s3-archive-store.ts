import { readArchive, writeArchive, type Archive } from '../../../flink/archive/archive.ts';
import { getText, putObject, type Bucket } from '../s3-objects.ts';
import { archiveKey, draftKey, type ArchiveStore, type ReadArchive } from './archive-store.ts';

export function createS3ArchiveStore(bucket: Bucket): ArchiveStore {
  return {
    draft: (name, archive) => putObject(bucket, draftKey(name), writeArchive(archive)),
    readDraft: (name) => read(bucket, draftKey(name)),
    keep: (name, archive) => putObject(bucket, archiveKey(name), writeArchive(archive)),
  };
}

export function createS3ArchiveReader(bucket: Bucket): ReadArchive {
  return async (name) => (await read(bucket, archiveKey(name))) ?? (await read(bucket, draftKey(name)));
}

async function read(bucket: Bucket, key: string): Promise<Archive | undefined> {
  const stored = await getText(bucket, key);
  return stored && readArchive(stored.text);
}
