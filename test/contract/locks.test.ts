import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import type { Locks } from '../../lib/run/locks.ts';
import { createS3Locks } from '../../lib/run/s3-locks.ts';
import { FakeLocks } from '../fakes/locks.ts';
import { freshBucket, forEachAwsServer } from './aws-server.ts';

const [a, b, c] = [runIdFor('a'), runIdFor('b'), runIdFor('c')];

describeLocks('fake', () => new FakeLocks());

forEachAwsServer((server) => {
  describeLocks(`S3 of ${server.name}`, async () => createS3Locks(await freshBucket(server)));
});

function describeLocks(name: string, make: () => Locks | Promise<Locks>): void {
  describe(`locks: ${name}`, () => {
    let locks: Locks;
    beforeEach(async () => {
      locks = await make();
    });

    it('has one holder, who may ask again', async () => {
      expect(await locks.acquire('key', a)).toEqual({ held: true });
      expect(await locks.acquire('key', a)).toEqual({ held: true });
      expect(await locks.acquire('key', b)).toEqual({ held: false, holder: a });
      expect(await locks.acquire('another/key ü', b)).toEqual({ held: true });
    });

    it('is free again when the holder, and only the holder, releases it', async () => {
      await locks.release('key', a);
      await locks.acquire('key', a);
      await locks.release('key', b);
      expect(await locks.acquire('key', b)).toEqual({ held: false, holder: a });
      await locks.release('key', a);
      await locks.release('key', a);
      expect(await locks.acquire('key', b)).toEqual({ held: true });
    });

    it('passes from holder to successor', async () => {
      await locks.acquire('key', a);
      expect(await locks.transfer('key', b, c)).toEqual({ held: false, holder: a });
      expect(await locks.transfer('key', a, b)).toEqual({ held: true });
      expect(await locks.transfer('key', a, b)).toEqual({ held: true });
      expect(await locks.transfer('key', a, c)).toEqual({ held: false, holder: b });
      expect(await locks.transfer('free', a, c)).toEqual({ held: true });
    });

    it('has one winner among many', async () => {
      const runs = Array.from({ length: 12 }, (_, index) => runIdFor(`rival ${index}`));
      const states = await Promise.all(runs.map((run) => locks.acquire('race', run)));
      expect(states.filter(({ held }) => held)).toHaveLength(1);
      const holder = runs[states.findIndex(({ held }) => held)];
      expect(new Set(states.flatMap((state) => (state.held ? [] : [state.holder])))).toEqual(new Set([holder]));
    });

    it('has one successor among many', async () => {
      await locks.acquire('race', a);
      const runs = Array.from({ length: 12 }, (_, index) => runIdFor(`rival ${index}`));
      const states = await Promise.all(runs.map((run) => locks.transfer('race', a, run)));
      expect(states.filter(({ held }) => held)).toHaveLength(1);
    });
  });
}
