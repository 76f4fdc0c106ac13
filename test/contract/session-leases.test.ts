import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { createS3SessionLeases } from '../../lib/run/store/s3-session-leases.ts';
import { join, leave, newLease, type SessionLeases } from '../../lib/run/session-lease.ts';
import { FakeSessionLeases } from '../fakes/session-leases.ts';
import { forEachS3Server, freshBucket } from './aws-server.ts';
import { memoryBucket } from './support/memory-bucket.ts';
import { clusterId } from '../fakes/ids.ts';

const [a, b] = [runIdFor('a'), runIdFor('b')];
const REF = { target: 'default', namespace: 'flink', clusterId: clusterId('small-1a2b3c4d') };
const LEASE = newLease(REF, { name: 'small', idleAfter: 60_000 });

describeLeases('fake', () => new FakeSessionLeases());

describeLeases('S3 in memory', () => createS3SessionLeases(memoryBucket()));
forEachS3Server((server) => {
  describeLeases(`S3 of ${server.name}`, async () => createS3SessionLeases(await freshBucket(server)));
});

function describeLeases(name: string, make: () => SessionLeases | Promise<SessionLeases>): void {
  describe(`leases: ${name}`, () => {
    let leases: SessionLeases;
    beforeEach(async () => {
      leases = await make();
    });

    it('are each written by who last read them', async () => {
      expect(await leases.read(REF)).toBeUndefined();
      const first = join(LEASE, a, 1);
      expect(await leases.write(first, undefined)).toBe(true);
      expect(await leases.write(join(LEASE, b, 1), undefined)).toBe(false);
      const read = await leases.read(REF);
      expect(read?.value).toEqual(first);
      expect(await leases.write(leave(first, a, 2), read?.version)).toBe(true);
      expect(await leases.write(join(first, b, 3), read?.version)).toBe(false);
      expect((await leases.read(REF))?.value).toEqual({ ...LEASE, idleSince: 2 });
    });

    it('are listed by their target, and removed by who last read them', async () => {
      const other = { ...LEASE, namespace: 'team', clusterId: clusterId('big-1a2b3c4d') };
      for (const lease of [LEASE, other, { ...LEASE, target: 'default-2' }]) await leases.write(lease, undefined);
      const refs = (await leases.list('default')).map(({ namespace, clusterId }) => `${namespace}/${clusterId}`);
      expect(refs.toSorted()).toEqual(['flink/small-1a2b3c4d', 'team/big-1a2b3c4d']);
      const { version = '' } = (await leases.read(REF)) ?? {};
      await leases.write(join(LEASE, a, 1), version);
      expect(await leases.remove(REF, version)).toBe(false);
      expect(await leases.remove(REF, (await leases.read(REF))?.version ?? '')).toBe(true);
      expect(await leases.read(REF)).toBeUndefined();
      expect(await leases.list('default')).toHaveLength(1);
    });

    it('are of one session each', async () => {
      await leases.write(LEASE, undefined);
      for (const other of [{ target: 'b' }, { namespace: 'b' }, { clusterId: clusterId('b') }]) {
        expect(await leases.read({ ...REF, ...other })).toBeUndefined();
      }
    });
  });
}
