import { PutObjectCommand, type GetObjectCommand, type ListObjectsV2Command } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import type { Contender, Locks, LockState } from '../../lib/run/store/locks.ts';
import { createS3LockReader, createS3Locks } from '../../lib/run/store/s3-locks.ts';
import type { Bucket } from '../../lib/run/store/s3-objects.ts';
import { FakeLocks } from '../fakes/locks.ts';
import { freshBucket, forEachS3Server } from './aws-server.ts';
import { memoryBucket } from './support/memory-bucket.ts';

const [a, b, c] = [1, 2, 3].map((since) => contender(`run ${since}`, since)) as [Contender, Contender, Contender];
const late = contender('late', 4);

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
    const send = (command: PutObjectCommand | GetObjectCommand | ListObjectsV2Command): Promise<unknown> => {
      if (!(command instanceof PutObjectCommand)) return bucket.s3.send(command as GetObjectCommand);
      held.push(command);
      return Promise.reject(new Error('no answer (test)'));
    };
    const slow = { ...bucket, s3: { send } as unknown as typeof bucket.s3 };
    await expect(createS3Locks(slow).acquire({ key: 'key' }, b, { enqueue: false })).rejects.toThrow('no answer');
    await locks.acquire({ key: 'key' }, b, { enqueue: false });
    await locks.release({ key: 'key' }, b);
    const [tardy] = held;
    if (tardy === undefined) throw new Error('nothing was written');
    await expect(bucket.s3.send(tardy)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  it(`shows who has it, and who waits, in the order of their turns: S3 ${name}`, async () => {
    const bucket = await make();
    const [locks, read] = [createS3Locks(bucket), createS3LockReader(bucket)];
    expect(await read({ key: 'key' })).toEqual({ holder: undefined, queue: [] });
    for (const run of [a, c, b]) await locks.acquire({ key: 'key' }, run, { enqueue: true });
    expect(await read({ key: 'key' })).toEqual({ holder: a.runId, queue: [b.runId, c.runId] });
    await locks.release({ key: 'key' }, a);
    expect(await read({ key: 'key' })).toEqual({ holder: undefined, queue: [b.runId, c.runId] });
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
    expect(await locks.acquire({ tenant: 'a', key: 'key' }, b, { enqueue: false })).toEqual({
      held: false,
      holder: a.runId,
    });
  });
}

function contender(name: string, since: number): Contender {
  return { runId: runIdFor(name), since };
}

function describeLocks(name: string, make: () => Locks | Promise<Locks>): void {
  describe(`locks: ${name}`, () => {
    let locks: Locks;
    beforeEach(async () => {
      locks = await make();
    });

    it('tells who is next, also of those who were told and left', async () => {
      expect(await locks.release({ key: 'key' }, a)).toBeUndefined();
      await locks.acquire({ key: 'key' }, a, { enqueue: true });
      await locks.acquire({ key: 'key' }, c, { enqueue: true });
      await locks.acquire({ key: 'key' }, b, { enqueue: true });
      expect(await locks.release({ key: 'key' }, a)).toBe(b.runId);
      expect(await locks.release({ key: 'key' }, a)).toBe(b.runId);
      expect(await locks.release({ key: 'key' }, b)).toBe(c.runId);
      await locks.acquire({ key: 'key' }, c, { enqueue: true });
      expect(await locks.release({ key: 'key' }, b)).toBeUndefined();
      expect(await locks.release({ key: 'key' }, c)).toBeUndefined();
    });

    it('says where the first in line stands, so that it can be taken out of it', async () => {
      await locks.acquire({ key: 'key' }, a, { enqueue: true });
      await locks.acquire({ key: 'key' }, b, { enqueue: true });
      await locks.release({ key: 'key' }, a);
      const turn = await locks.acquire({ key: 'key' }, c, { enqueue: true });
      expect(turn).toEqual({ held: false, holder: b.runId, since: b.since });
      expect(await locks.release({ key: 'key' }, b)).toBe(c.runId);
    });

    it('has one holder, who may ask again', async () => {
      expect(await locks.acquire({ key: 'key' }, a, { enqueue: false })).toEqual({ held: true });
      expect(await locks.acquire({ key: 'key' }, a, { enqueue: false })).toEqual({ held: true });
      expect(await locks.acquire({ key: 'key' }, b, { enqueue: false })).toEqual({ held: false, holder: a.runId });
      expect(await locks.acquire({ key: 'another/key ü' }, b, { enqueue: false })).toEqual({ held: true });
    });

    it('is free again when the holder, and only the holder, releases it', async () => {
      await locks.release({ key: 'key' }, a);
      await locks.acquire({ key: 'key' }, a, { enqueue: false });
      await locks.release({ key: 'key' }, b);
      expect(await locks.acquire({ key: 'key' }, b, { enqueue: false })).toEqual({ held: false, holder: a.runId });
      await locks.release({ key: 'key' }, a);
      await locks.release({ key: 'key' }, a);
      expect(await locks.acquire({ key: 'key' }, b, { enqueue: false })).toEqual({ held: true });
    });

    it('goes to the first in line, and to nobody before', async () => {
      const ask = (who: Contender): Promise<LockState> => locks.acquire({ key: 'key' }, who, { enqueue: true });
      await ask(a);
      expect(await ask(c)).toEqual({ held: false, holder: a.runId });
      expect(await ask(b)).toEqual({ held: false, holder: a.runId });
      expect(await ask(c)).toEqual({ held: false, holder: a.runId });
      await locks.release({ key: 'key' }, a);
      expect(await ask(c)).toEqual({ held: false, holder: b.runId, since: b.since });
      expect(await ask(late)).toEqual({ held: false, holder: b.runId, since: b.since });
      expect(await ask(b)).toEqual({ held: true });
      await locks.release({ key: 'key' }, b);
      expect(await ask(c)).toEqual({ held: true });
      await locks.release({ key: 'key' }, c);
      expect(await ask(late)).toEqual({ held: true });
    });

    it('goes past who left the line, or never joined it', async () => {
      await locks.acquire({ key: 'key' }, a, { enqueue: false });
      await locks.acquire({ key: 'key' }, b, { enqueue: true });
      await locks.acquire({ key: 'key' }, c, { enqueue: false });
      await locks.release({ key: 'key' }, b);
      expect(await locks.acquire({ key: 'key' }, c, { enqueue: false })).toEqual({ held: false, holder: a.runId });
      await locks.release({ key: 'key' }, a);
      expect(await locks.acquire({ key: 'key' }, c, { enqueue: false })).toEqual({ held: true });
    });

    it('has one winner among many', async () => {
      const runs = Array.from({ length: 12 }, (_, index) => contender(`rival ${index}`, 100 + index));
      const states = await Promise.all(runs.map((run) => locks.acquire({ key: 'race' }, run, { enqueue: false })));
      expect(states.filter(({ held }) => held)).toHaveLength(1);
      const holder = runs[states.findIndex(({ held }) => held)]?.runId;
      expect(new Set(states.flatMap((state) => (state.held ? [] : [state.holder])))).toEqual(new Set([holder]));
    });

    it('loses nobody who joins the line at the same time', async () => {
      await locks.acquire({ key: 'race' }, a, { enqueue: true });
      const runs = Array.from({ length: 6 }, (_, index) => contender(`rival ${index}`, 100 + index));
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
