import { describe, expect, it } from 'vitest';
import { jobIsOver, keepUntil, removesHighAvailability } from '../../lib/run/cluster-retention.ts';
import { removeAndVerify } from '../../lib/kubernetes/cluster/remove-and-verify.ts';
import { without } from '../../lib/run/machine.ts';
import type { EndedRun, Outcome } from '../../lib/run/record.ts';
import { createFakeClusters, type FakeClusters } from '../fakes/clusters.ts';
import { smallCluster } from '../fakes/flink-cluster.ts';
import { NOW, runIn } from '../verdict/observations.ts';
import { ownerOf } from '../fakes/ids.ts';

function ended(state: Outcome['state'], keepCluster: 'never' | 'on-failure' | 'always', flinkState?: string): EndedRun {
  const record = runIn('ended', 0);
  const outcome: Outcome = { state, reason: 'JobFailed', message: 'why', at: NOW, evidence: [] };
  return {
    ...record,
    job: { ...record.job, afterEnd: { keepCluster, ttl: 1000 } },
    outcome: flinkState === undefined ? outcome : { ...outcome, flinkState },
  };
}

describe('a cluster is kept', () => {
  it.each([
    ['succeeded', 'never', false],
    ['failed', 'never', false],
    ['succeeded', 'on-failure', false],
    ['canceled', 'on-failure', false],
    ['failed', 'on-failure', true],
    ['unknown', 'on-failure', true],
    ['succeeded', 'always', true],
    ['failed', 'always', true],
  ] as const)('after %s with %s: %s', (state, keepCluster, kept) => {
    expect(keepUntil(ended(state, keepCluster), NOW)).toBe(kept ? NOW + 1000 : undefined);
  });

  it('only when it would not run the program again', () => {
    const crashed = (flinkState?: string): EndedRun => {
      const record = ended('failed', 'always', flinkState);
      return { ...record, outcome: { ...record.outcome, reason: 'JobManagerCrashed' } };
    };
    expect(keepUntil(crashed(), NOW)).toBeUndefined();
    expect(keepUntil(crashed('FAILED'), NOW)).toBe(NOW + 1000);
  });

  it('only when there was one', () => {
    expect(keepUntil({ ...ended('failed', 'always'), attempts: [] }, NOW)).toBeUndefined();
    expect(keepUntil({ ...without(ended('rejected', 'always'), 'job'), attempts: [] }, NOW)).toBeUndefined();
  });
});

it('a job is over when Flink said so', () => {
  const of = (flinkState?: string): boolean => jobIsOver(ended('failed', 'always', flinkState));
  expect(['FINISHED', 'FAILED', 'CANCELED'].map(of)).toEqual([true, true, true]);
  expect(['SUSPENDED', 'RUNNING', 'toString', undefined].map(of)).toEqual([false, false, false, false]);
});

it('high-availability metadata goes, unless the end is not known', () => {
  expect(removesHighAvailability(ended('failed', 'never'))).toBe(true);
  expect(removesHighAvailability(ended('unknown', 'never'))).toBe(false);
});

describe('removal', () => {
  const cluster = smallCluster({ clusterId: 'c', namespace: 'flink', image: 'flink:2.3.0' });
  const everything = { highAvailability: true };

  async function standing(): Promise<FakeClusters> {
    const clusters = createFakeClusters({ now: () => NOW });
    await clusters.apply(cluster, ownerOf('r'));
    clusters.addHighAvailability(cluster, 'c-cluster-config-map');
    return clusters;
  }

  it('names what is left until a look finds nothing', async () => {
    const clusters = await standing();
    clusters.looksToGo = 3;
    expect(await removeAndVerify(clusters, cluster, everything)).toContain('Deployment/c');
    expect(await removeAndVerify(clusters, cluster, everything)).not.toEqual([]);
    expect(await removeAndVerify(clusters, cluster, everything)).toEqual([]);
  });

  it('of what is not there removes nothing', async () => {
    const clusters = createFakeClusters({ now: () => NOW });
    expect(await removeAndVerify(clusters, cluster, everything)).toEqual([]);
    expect(clusters.calls).toEqual(['remains']);
  });

  it('leaves high-availability metadata where it is told to', async () => {
    const clusters = await standing();
    expect(await removeAndVerify(clusters, cluster, { highAvailability: false })).toEqual([]);
    expect(await clusters.remains(cluster, everything)).toEqual(['ConfigMap/c-cluster-config-map']);
  });
});
