import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { s3StateStorages } from '../../lib/state/s3-state-storage.ts';
import type { StateStorage } from '../../lib/state/storage.ts';
import { flinkMetadata } from '../fakes/flink-metadata.ts';
import { FakeStateStorage } from '../fakes/state-storage.ts';
import { forEachS3Server, freshBucket } from './aws-server.ts';

const JOB = 'a'.repeat(32);
const OTHER = 'b'.repeat(32);

/** Storage, and a way to write a file into it as Flink does. */
interface Made {
  readonly storage: StateStorage;
  /** `s3://bucket/allowed` */
  readonly root: string;
  readonly write: (path: string, checkpointId: number) => Promise<void>;
}

describeStorage('fake', () => {
  const storage = new FakeStateStorage();
  const root = 's3://state/allowed';
  const write = (path: string, checkpointId: number): Promise<void> => {
    const folder = /^(.*)\/_metadata$/.exec(path)?.[1];
    if (folder !== undefined) storage.complete.set(`${root}/${folder}`, { at: 1, bytes: 28, checkpointId });
    return Promise.resolve();
  };
  return Promise.resolve({ storage, root, write });
});

forEachS3Server((server) => {
  describeStorage(`S3 of ${server.name}`, async () => {
    const { s3, bucket } = await freshBucket(server);
    const root = `s3://${bucket}/allowed`;
    const write = async (path: string, checkpointId: number): Promise<void> => {
      const Body = flinkMetadata(checkpointId);
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `allowed/${path}`, Body }));
    };
    return { storage: s3StateStorages({ s3, allowed: [root] })(root), root, write };
  });
});

function describeStorage(name: string, make: () => Promise<Made>): void {
  describe(`state storage: ${name}`, () => {
    let made: Made;
    beforeEach(async () => {
      made = await make();
    });

    const write = async (...paths: readonly string[]): Promise<void> => {
      for (const path of paths) await made.write(path, 7);
    };

    it('tells a snapshot that is complete from one that is not', async () => {
      const { storage, root } = made;
      await write('sp/savepoint-1/data', 'sp/savepoint-2/_metadata');
      expect(await storage.look(`${root}/sp/savepoint-1`)).toBeUndefined();
      expect(await storage.look(`${root}/sp/savepoint-2/`)).toMatchObject({ bytes: 28, checkpointId: 7 });
      expect(await storage.look(`${root}/nothing`)).toBeUndefined();
    });

    it('reads what is in a snapshot that is complete', async () => {
      const { storage, root } = made;
      await write('sp/savepoint-1/data', 'sp/savepoint-2/_metadata');
      expect(await storage.content(`${root}/sp/savepoint-1`)).toBeUndefined();
      expect(await storage.content(`${root}/sp/savepoint-2/`)).toEqual({ version: 4, checkpointId: 7, operators: [] });
    });

    it('lists the complete savepoints of a directory, and none of those beside or below', async () => {
      const { storage, root } = made;
      await write('sp/1/savepoint-a/_metadata', 'sp/1/savepoint-a/data', 'sp/1/savepoint-b/data');
      await write('sp/10/savepoint-c/_metadata', 'sp/1/deeper/savepoint-d/_metadata');
      expect(await storage.savepoints(`${root}/sp/1/`)).toMatchObject([{ path: `${root}/sp/1/savepoint-a` }]);
      expect(await storage.savepoints(`${root}/sp/2`)).toEqual([]);
      expect(await storage.savepointsBelow(`${root}/sp`, '10')).toMatchObject([{ path: `${root}/sp/10/savepoint-c` }]);
      expect(await storage.savepointsBelow(`${root}/sp`, '2')).toEqual([]);
    });

    it("lists a job's complete checkpoints by their numbers, the highest first", async () => {
      const { storage, root } = made;
      await write(...[9, 10, 2].map((number) => `chk/${JOB}/chk-${number}/_metadata`));
      await write(`chk/${JOB}/chk-11/data`, `chk/${JOB}/shared/x`, `chk/${OTHER}/chk-12/_metadata`);
      const found = await storage.checkpoints(`${root}/chk`, JOB);
      expect(found.map(({ number }) => number)).toEqual([10, 9, 2]);
      expect(found[0]?.path).toBe(`${root}/chk/${JOB}/chk-10`);
    });

    it('names paths under the scheme that it was asked with', async () => {
      const { storage, root } = made;
      if (name === 'fake') return expect(storage.savepoints('gs://x/y')).rejects.toThrow('allow.stateStorage');
      await write('sp/savepoint-1/_metadata');
      const hadoop = `${root.replace('s3:', 's3a:')}/sp`;
      expect(await storage.savepoints(hadoop)).toMatchObject([{ path: `${hadoop}/savepoint-1` }]);
    });

    it('removes what is below a path, and may do so twice', async () => {
      const { storage, root } = made;
      await write('sp/1/savepoint-a/_metadata', 'sp/1/savepoint-a/data', 'sp/10/savepoint-b/_metadata');
      await storage.remove(`${root}/sp/1`);
      await storage.remove(`${root}/sp/1`);
      expect(await storage.savepoints(`${root}/sp/1`)).toEqual([]);
      expect(await storage.look(`${root}/sp/10/savepoint-b`)).toBeDefined();
    });

    it('asks nothing outside of what is allowed', async () => {
      const { storage, root } = made;
      const outside = root.startsWith('s3://state') ? 's3://other/allowed' : `${root}-not/x`;
      for (const ask of [
        storage.look(outside),
        storage.content(outside),
        storage.savepoints(outside),
        storage.remove(outside),
      ]) {
        await expect(ask).rejects.toMatchObject({ reason: 'StateStorageDenied' });
      }
    });
  });
}
