import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import type { ArchiveName, ArchiveStore, ReadArchive } from '../../../lib/run/store/history/archive-store.ts';
import { createS3ArchiveReader, createS3ArchiveStore } from '../../../lib/run/store/history/s3-archive-store.ts';
import { FakeArchiveStore } from '../../fakes/archive-store.ts';
import { forEachS3Server, freshBucket } from '../aws-server.ts';
import { memoryBucket } from '../support/memory-bucket.ts';

interface Made {
  readonly store: ArchiveStore;
  readonly read: ReadArchive;
}

const NAME: ArchiveName = { runId: runIdFor('a'), attempt: 1, jobId: 'a'.repeat(32) };
const [DRAFT, KEPT] = [new Map([['/jobs/a', '{"state":"RUNNING"}']]), new Map([['/jobs/a', '{"state":"FINISHED"}']])];

describeArchives('fake', () => {
  const store = new FakeArchiveStore();
  return { store, read: store.read };
});
describeArchives('S3 in memory', () => onS3(memoryBucket()));
forEachS3Server((server) => {
  describeArchives(`S3 of ${server.name}`, async () => onS3(await freshBucket(server)));
});

function onS3(bucket: ReturnType<typeof memoryBucket>): Made {
  return { store: createS3ArchiveStore(bucket), read: createS3ArchiveReader(bucket) };
}

function describeArchives(name: string, make: () => Made | Promise<Made>): void {
  describe(`archives: ${name}`, () => {
    it('are read as they were kept, else as they were drafted', async () => {
      const { store, read } = await make();
      expect([await read(NAME), await store.readDraft(NAME)]).toEqual([undefined, undefined]);
      await store.draft(NAME, DRAFT);
      expect([await read(NAME), await store.readDraft(NAME)]).toEqual([DRAFT, DRAFT]);
      await store.keep(NAME, KEPT);
      await store.keep(NAME, KEPT);
      expect([await read(NAME), await store.readDraft(NAME)]).toEqual([KEPT, DRAFT]);
    });

    it('of a tenant stay apart', async () => {
      const { store, read } = await make();
      await store.keep({ ...NAME, tenant: 'payments' }, KEPT);
      expect(await read(NAME)).toBeUndefined();
      expect(await read({ ...NAME, tenant: 'payments' })).toEqual(KEPT);
    });
  });
}
