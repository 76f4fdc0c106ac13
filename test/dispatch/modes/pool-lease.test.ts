import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { joinPool, leavePool, removeSession, type PoolUse } from '../../../lib/dispatch/modes/pool.ts';
import type { Owner } from '../../../lib/kubernetes/cluster/port.ts';
import type { PoolPlan } from '../../../lib/job/job.ts';
import { newLease, type SessionLease } from '../../../lib/run/session-lease.ts';
import { clusterOf } from '../sweep/swept.ts';
import { Stepping } from '../steps/stepping.ts';

const POOL = { name: 'p', idleAfter: 60_000 } as PoolPlan;
const RUN = runIdFor('a');
const ref = { target: 't', namespace: 'flink', clusterId: clusterOf('session') };
const lease: SessionLease = newLease(ref, POOL);
const stopping: SessionLease = { ...lease, state: 'stopping', idleSince: 1 };
const owner: Owner = { kind: 'pool', pool: 'p', ledger: 'ledger' };

let stepping: Stepping;
beforeEach(() => {
  stepping = new Stepping();
});
const leases = () => stepping.sessions.leases;
const use = (since: number): PoolUse => ({ target: stepping.target, leases: leases(), ref, runId: RUN, since });
const given = (known: SessionLease) => leases().write(known, undefined);
const stands = (by: Owner = owner) => stepping.clusters.apply({ ...ref, dependents: [] } as never, by);

describe('a run in the session of a pool', () => {
  it('has a share of its own from the first time on', async () => {
    await joinPool(use(5), POOL);
    expect(leases().all).toEqual([{ ...lease, runs: { [RUN]: 5 } }]);
  });

  it.each([
    [4, 5],
    [5, 5],
    [6, 6],
  ])('that joined at 5 and joins at %i has joined at %i', async (since, at) => {
    await given({ ...lease, runs: { [RUN]: 5 } });
    await joinPool(use(since), POOL);
    expect(leases().all[0]?.runs).toEqual({ [RUN]: at });
  });

  it.each([
    [4, false],
    [5, true],
    [6, true],
  ])('that joined at 5 leaves with the attempt of %i: %s', async (since, leaves) => {
    await given({ ...lease, runs: { [RUN]: 5 } });
    await leavePool(use(since), 9);
    expect(leases().all).toEqual([leaves ? { ...lease, runs: {}, idleSince: 9 } : { ...lease, runs: { [RUN]: 5 } }]);
  });

  it('that never joined leaves nothing behind', async () => {
    await leavePool(use(5), 9);
    expect(leases().all).toEqual([]);
    await given(lease);
    await leavePool(use(5), 9);
    expect(leases().all).toEqual([lease]);
  });

  it.each([
    [19, true],
    [20, false],
  ])('joins although others change the lease %i times: %s', async (times, joins) => {
    const write = leases().write.bind(leases());
    let races = 0;
    leases().write = (...args) => {
      races += 1;
      return races <= times ? Promise.resolve(false) : write(...args);
    };
    const joined = joinPool(use(5), POOL);
    if (joins) return joined;
    const message = `the lease of the session ${ref.clusterId} changed 20 times meanwhile`;
    return expect(joined).rejects.toMatchObject({ reason: 'StorageUnavailable', message });
  });
});

describe('a session that is being stopped', () => {
  it('is joined when nothing is left of it, anew', async () => {
    await given(stopping);
    await stands();
    await joinPool(use(5), POOL);
    expect(leases().all).toEqual([{ ...lease, runs: { [RUN]: 5 } }]);
    expect(stepping.clusters.standing(ref)).toBeUndefined();
  });

  it('is not joined before', async () => {
    await given(stopping);
    await stands();
    stepping.clusters.looksToGo = 3;
    const message = `the session ${ref.clusterId} is being stopped: Deployment/${ref.clusterId}`;
    await expect(joinPool(use(5), POOL)).rejects.toMatchObject({
      reason: 'ClusterUnavailable',
      message,
      retryAfter: 1,
    });
    expect(leases().all).toEqual([stopping]);
  });

  it('is not removed once somebody has opened it again', async () => {
    await given(lease);
    await stands();
    expect(await removeSession(stepping.target, leases(), ref)).toEqual([`Deployment/${ref.clusterId}`]);
    await leases().remove(ref, '1');
    expect(await removeSession(stepping.target, leases(), ref)).toEqual([`Deployment/${ref.clusterId}`]);
    expect(stepping.clusters.standing(ref)).toBeDefined();
  });

  it('leaves the cluster of a run that has its name alone', async () => {
    await given(stopping);
    await stands({ kind: 'run', runId: RUN, attempt: 1, ledger: 'ledger' });
    expect(await removeSession(stepping.target, leases(), ref)).toEqual([]);
    expect(stepping.clusters.standing(ref)).toBeDefined();
  });

  it('takes what high availability kept along, with or without its Deployment', async () => {
    await given(stopping);
    stepping.clusters.addHighAvailability(ref, 'ha');
    expect(await removeSession(stepping.target, leases(), ref)).toEqual([]);
    expect(await stepping.clusters.remains(ref)).toEqual([]);
    stepping.clusters.addHighAvailability(ref, 'ha');
    await stands();
    expect(await removeSession(stepping.target, leases(), ref)).toEqual([]);
    expect(await stepping.clusters.remains(ref)).toEqual([]);
  });

  it('is not the one that was made since it was looked at', async () => {
    await given(stopping);
    const observe = stepping.clusters.observe.bind(stepping.clusters);
    stepping.clusters.observe = async (at) => {
      const before = await observe(at);
      await stands();
      return before;
    };
    expect(await removeSession(stepping.target, leases(), ref)).toEqual([]);
    expect(stepping.clusters.standing(ref)).toBeDefined();
  });
});
