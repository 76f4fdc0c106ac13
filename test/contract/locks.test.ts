import { GetObjectCommand, type PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import type { Locks } from '../../lib/run/store/locks.ts';
import { createS3Locks } from '../../lib/run/store/s3-locks.ts';
import type { Bucket } from '../../lib/run/store/s3-objects.ts';
import { FakeLocks } from '../fakes/locks.ts';
import { freshBucket, forEachS3Server } from './aws-server.ts';
import { memoryBucket } from './support/memory-bucket.ts';

const [a, b, c] = [runIdFor('a'), runIdFor('b'), runIdFor('c')];

describeLocks('fake', () => new FakeLocks());

describeS3('in memory', memoryBucket);
forEachS3Server((server) => describeS3(`of ${server.name}`, () => freshBucket(server)));

function describeS3(name: string, make: () => Bucket | Promise<Bucket>): void {
  describeLocks(`S3 ${name}`, async () => createS3Locks(await make()));

  it(`is not taken by a write that comes when it is free again: S3 ${name}`, async () => {
    const bucket = await make();
    const locks = createS3Locks(bucket);
    await locks.acquire({ key: 'key' }, a, { enqueue: false });
    await locks.release({ key: 'key' }, a);
    const held: PutObjectCommand[] = [];
    const send = (command: PutObjectCommand | GetObjectCommand): Promise<unknown> => {
      if (command instanceof GetObjectCommand) return bucket.s3.send(command);
      held.push(command);
      return Promise.reject(new Error('no answer (test)'));
    };
    const slow = { ...bucket, s3: { send } as unknown as typeof bucket.s3 };
    await expect(createS3Locks(slow).acquire({ key: 'key' }, b, { enqueue: false })).rejects.toThrow('no answer');
    await locks.acquire({ key: 'key' }, b, { enqueue: false });
    await locks.release({ key: 'key' }, b);
    const [late] = held;
    if (late === undefined) throw new Error('nothing was written');
    await expect(bucket.s3.send(late)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  it(`is each tenant's own: S3 ${name}`, async () => {
    const locks = createS3Locks(await make());
    for (const [tenant, run] of [
      ['a', a],
      ['b', b],
    ] as const) {
      expect(await locks.acquire({ tenant, key: 'key' }, run, { enqueue: false })).toEqual({ held: true });
    }
    expect(await locks.acquire({ key: 'key' }, c, { enqueue: false })).toEqual({ held: true });
    expect(await locks.acquire({ tenant: 'a', key: 'key' }, b, { enqueue: false })).toEqual({ held: false, holder: a });
  });
}

function describeLocks(name: string, make: () => Locks | Promise<Locks>): void {
  describe(`locks: ${name}`, () => {
    let locks: Locks;
    beforeEach(async () => {
      locks = await make();
    });

    it('has one holder, who may ask again', async () => {
      expect(await locks.acquire({ key: 'key' }, a, { enqueue: false })).toEqual({ held: true });
      expect(await locks.acquire({ key: 'key' }, a, { enqueue: false })).toEqual({ held: true });
      expect(await locks.acquire({ key: 'key' }, b, { enqueue: false })).toEqual({ held: false, holder: a });
      expect(await locks.acquire({ key: 'another/key ü' }, b, { enqueue: false })).toEqual({ held: true });
    });

    it('is free again when the holder, and only the holder, releases it', async () => {
      await locks.release({ key: 'key' }, a);
      await locks.acquire({ key: 'key' }, a, { enqueue: false });
      await locks.release({ key: 'key' }, b);
      expect(await locks.acquire({ key: 'key' }, b, { enqueue: false })).toEqual({ held: false, holder: a });
      await locks.release({ key: 'key' }, a);
      await locks.release({ key: 'key' }, a);
      expect(await locks.acquire({ key: 'key' }, b, { enqueue: false })).toEqual({ held: true });
    });

    it('goes to the first in line, and to nobody before', async () => {
      await locks.acquire({ key: 'key' }, a, { enqueue: true });
      expect(await locks.acquire({ key: 'key' }, b, { enqueue: true })).toEqual({ held: false, holder: a });
      expect(await locks.acquire({ key: 'key' }, c, { enqueue: true })).toEqual({ held: false, holder: a });
      expect(await locks.acquire({ key: 'key' }, b, { enqueue: true })).toEqual({ held: false, holder: a });
      await locks.release({ key: 'key' }, a);
      expect(await locks.acquire({ key: 'key' }, c, { enqueue: true })).toEqual({ held: false, holder: b });
      expect(await locks.acquire({ key: 'key' }, a, { enqueue: true })).toEqual({ held: false, holder: b });
      expect(await locks.acquire({ key: 'key' }, b, { enqueue: true })).toEqual({ held: true });
      await locks.release({ key: 'key' }, b);
      expect(await locks.acquire({ key: 'key' }, c, { enqueue: true })).toEqual({ held: true });
      await locks.release({ key: 'key' }, c);
      expect(await locks.acquire({ key: 'key' }, a, { enqueue: true })).toEqual({ held: true });
    });

    it('goes past who left the line, or never joined it', async () => {
      await locks.acquire({ key: 'key' }, a, { enqueue: false });
      await locks.acquire({ key: 'key' }, b, { enqueue: true });
      await locks.acquire({ key: 'key' }, c, { enqueue: false });
      await locks.release({ key: 'key' }, b);
      await locks.release({ key: 'key' }, a);
      expect(await locks.acquire({ key: 'key' }, c, { enqueue: false })).toEqual({ held: true });
    });

    it('has one winner among many', async () => {
      const runs = Array.from({ length: 12 }, (_, index) => runIdFor(`rival ${index}`));
      const states = await Promise.all(runs.map((run) => locks.acquire({ key: 'race' }, run, { enqueue: false })));
      expect(states.filter(({ held }) => held)).toHaveLength(1);
      const holder = runs[states.findIndex(({ held }) => held)];
      expect(new Set(states.flatMap((state) => (state.held ? [] : [state.holder])))).toEqual(new Set([holder]));
    });

    it('loses nobody who joins the line at the same time', async () => {
      await locks.acquire({ key: 'race' }, a, { enqueue: true });
      const runs = Array.from({ length: 6 }, (_, index) => runIdFor(`rival ${index}`));
      await Promise.all(runs.map((run) => locks.acquire({ key: 'race' }, run, { enqueue: true })));
      let left = new Set(runs);
      for (let holder = a; left.size > 0;) {
        await locks.release({ key: 'race' }, holder);
        const states = await Promise.all(
          [...left].map((run) => locks.acquire({ key: 'race' }, run, { enqueue: true })),
        );
        const winners = [...left].filter((_, index) => states[index]?.held);
        expect(winners).toHaveLength(1);
        [holder = a] = winners;
        left = new Set([...left].filter((run) => run !== holder));
      }
    });
  });
}
