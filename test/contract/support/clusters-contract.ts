import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  ClusterInventory,
  ClusterRef,
  Clusters,
  Removal,
  StartPermits,
} from '../../../lib/kubernetes/cluster/port.ts';
import { withStartPermit } from '../../../lib/kubernetes/cluster/start-permit.ts';
import { smallCluster } from '../../fakes/flink-cluster.ts';
import { clusterId as asClusterId, ownerOf } from '../../fakes/ids.ts';

export interface ClustersHarness {
  readonly clusters: Clusters & ClusterInventory & StartPermits;
  readonly namespace: string;
  readonly image: string;
  /** Default: what the image does by itself. */
  readonly command?: readonly string[];
  /** Makes a ConfigMap as a JobManager with high availability does. */
  addHighAvailability(ref: ClusterRef, name: string): Promise<void>;
  /** Removes the Deployment as somebody else would. */
  vanish(ref: ClusterRef): Promise<void>;
  /** Whether the permit of its JobManager is there, and permits. */
  mayStart(ref: ClusterRef): Promise<boolean>;
  close(): Promise<void>;
}

/** What every implementation of `Clusters` holds to; `until` polls with the implementation's own pace. */
export function clustersContract(name: string, open: () => Promise<ClustersHarness>): void {
  describe(`Clusters: ${name}`, () => {
    let it_: ClustersHarness;
    beforeAll(async () => {
      it_ = await open();
    });
    afterAll(() => it_.close());

    const fresh = () => {
      const clusterId = `contract-${randomBytes(4).toString('hex')}`;
      const { namespace, image, command } = it_;
      const cluster = smallCluster({ clusterId, namespace, image, ...(command === undefined ? {} : { command }) });
      const owner = ownerOf(randomBytes(10).toString('hex'));
      return { cluster, owner, ref: { namespace: it_.namespace, clusterId: asClusterId(clusterId) } };
    };
    const goneAfterRemoval = async (
      ref: ClusterRef,
      highAvailability = true,
      meant: Partial<Removal> = {},
    ): Promise<readonly string[]> => {
      const end = Date.now() + 20_000;
      for (;;) {
        await it_.clusters.remove(ref, { ...meant, highAvailability });
        const left = await it_.clusters.remains(ref, { ...meant, highAvailability });
        if (left.length === 0 || Date.now() > end) return left;
      }
    };

    it('creates a cluster once, and finds it the second time', async () => {
      const { cluster, owner, ref } = fresh();
      expect(await it_.clusters.apply(cluster, owner)).toBe('created');
      expect(await it_.clusters.apply(cluster, owner)).toBe('found');
      const { deployment } = await it_.clusters.observe(ref);
      expect(deployment).toMatchObject({ state: 'present', owner, deleting: false, desiredReplicas: 1 });
      expect(await goneAfterRemoval(ref)).toEqual([]);
    });

    it('completes what a crash left half made', async () => {
      const { cluster, owner, ref } = fresh();
      await it_.clusters.apply({ ...cluster, dependents: cluster.dependents.slice(0, 1) }, owner);
      expect(await it_.clusters.apply(cluster, owner)).toBe('created');
      const remains = await it_.clusters.remains(ref);
      expect(remains).toEqual(
        expect.arrayContaining([
          `Deployment/${ref.clusterId}`,
          `ConfigMap/flink-config-${ref.clusterId}`,
          `Service/${ref.clusterId}`,
          `Service/${ref.clusterId}-rest`,
        ]),
      );
      expect(await goneAfterRemoval(ref)).toEqual([]);
    });

    it('lets one of many racing creators create', async () => {
      const { cluster, owner, ref } = fresh();
      const answers = await Promise.all(Array.from({ length: 8 }, () => it_.clusters.apply(cluster, owner)));
      expect(answers).toContain('created');
      const { deployment } = await it_.clusters.observe(ref);
      expect(deployment).toMatchObject({ state: 'present', owner });
      expect(await it_.clusters.apply(cluster, owner)).toBe('found');
      expect(await goneAfterRemoval(ref)).toEqual([]);
    });

    it.each([
      ['of another run', ownerOf('f'.repeat(20))],
      ['of another attempt', undefined],
    ])('leaves a Deployment %s alone', async (_what, other) => {
      const { cluster, owner, ref } = fresh();
      await it_.clusters.apply(cluster, owner);
      const stranger = other ?? { ...owner, attempt: 2 };
      await expect(it_.clusters.apply(cluster, stranger)).rejects.toMatchObject({ reason: 'ClusterNameTaken' });
      expect((await it_.clusters.observe(ref)).deployment).toMatchObject({ owner, deleting: false });
      expect(await goneAfterRemoval(ref)).toEqual([]);
    });

    it('withdraws the permit to start once and for all, whatever a late launch does', async () => {
      const { cluster, owner, ref } = fresh();
      await it_.clusters.apply(withStartPermit(cluster), owner);
      expect(await it_.mayStart(ref)).toBe(true);
      await it_.clusters.revoke(ref, owner);
      await it_.clusters.revoke(ref, owner);
      expect(await it_.mayStart(ref)).toBe(false);
      expect(await it_.clusters.apply(withStartPermit(cluster), owner)).toBe('found');
      expect(await it_.mayStart(ref)).toBe(false);
      expect(await goneAfterRemoval(ref)).toEqual([]);
    });

    it('withdraws a permit that was not granted yet, of the owner’s cluster alone', async () => {
      const { cluster, owner, ref } = fresh();
      await it_.clusters.revoke(ref, owner);
      expect(await it_.clusters.remains(ref)).toEqual([]);
      await it_.clusters.apply(cluster, owner);
      const remains = await it_.clusters.remains(ref);
      await it_.clusters.revoke(ref, { ...owner, attempt: 2 });
      expect((await it_.clusters.remains(ref)).filter((name) => name.startsWith('ConfigMap/'))).toEqual(
        remains.filter((name) => name.startsWith('ConfigMap/')),
      );
      await it_.clusters.revoke(ref, owner);
      await it_.clusters.apply(withStartPermit(cluster), owner);
      expect(await it_.mayStart(ref)).toBe(false);
      expect(await goneAfterRemoval(ref)).toEqual([]);
    });

    it('says absent of what is not there, and removes it with success', async () => {
      const { ref } = fresh();
      expect(await it_.clusters.observe(ref)).toEqual({ deployment: { state: 'absent' }, pods: [], events: [] });
      await it_.clusters.remove(ref, { highAvailability: true });
      expect(await it_.clusters.remains(ref)).toEqual([]);
    });

    it.each([
      ['uid', { uid: '00000000-0000-0000-0000-000000000000' }],
      ['owner', { owner: ownerOf('f'.repeat(20)) }],
    ])('leaves a Deployment of another %s, with all that is its own, out of removal and proof', async (_by, meant) => {
      const { cluster, owner, ref } = fresh();
      await it_.clusters.apply(cluster, owner);
      await it_.addHighAvailability(ref, `${ref.clusterId}-cluster-config-map`);
      const everything = await it_.clusters.remains(ref);
      const wrong = { highAvailability: true, ...meant };
      await it_.clusters.remove(ref, wrong);
      expect(await it_.clusters.remains(ref, wrong)).toEqual([]);
      expect(await it_.clusters.remains(ref)).toEqual(expect.arrayContaining([...everything]));
      const { deployment } = await it_.clusters.observe(ref);
      expect(deployment).toMatchObject({ state: 'present', deleting: false });
      const right = { uid: deployment.state === 'present' ? deployment.uid : '', owner };
      expect(await goneAfterRemoval(ref, true, right)).toEqual([]);
    });

    it('keeps high-availability metadata, or removes it, as it is told', async () => {
      const { cluster, owner, ref } = fresh();
      await it_.clusters.apply(cluster, owner);
      await it_.addHighAvailability(ref, `${ref.clusterId}-cluster-config-map`);
      expect(await goneAfterRemoval(ref, false)).toEqual([]);
      expect(await it_.clusters.remains(ref)).toEqual([`ConfigMap/${ref.clusterId}-cluster-config-map`]);
      expect(await goneAfterRemoval(ref)).toEqual([]);
    });

    it('lists what is ours, by run', async () => {
      const { cluster, owner, ref } = fresh();
      await it_.clusters.apply(cluster, owner);
      const found = (await it_.clusters.list(it_.namespace)).find(({ clusterId }) => clusterId === ref.clusterId);
      expect(found).toMatchObject({ ...ref, owner });
      expect(Math.abs((found?.createdAt ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await goneAfterRemoval(ref)).toEqual([]);
      const after = await it_.clusters.list(it_.namespace);
      expect(after.map(({ clusterId }) => clusterId)).not.toContain(ref.clusterId);
    });

    it('sees that somebody else removed it', async () => {
      const { cluster, owner, ref } = fresh();
      await it_.clusters.apply(cluster, owner);
      await it_.vanish(ref);
      expect((await it_.clusters.observe(ref)).deployment).toEqual({ state: 'absent' });
      expect(await goneAfterRemoval(ref)).toEqual([]);
    });
  });
}
