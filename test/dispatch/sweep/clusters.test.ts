import { beforeEach, describe, expect, it } from 'vitest';
import { sweepClusters } from '../../../lib/dispatch/sweep/sweep-clusters.ts';
import type { Owner } from '../../../lib/kubernetes/cluster/port.ts';
import type { Attempt, RunRecord } from '../../../lib/run/record.ts';
import { newLease } from '../../../lib/run/session-lease.ts';
import { clusterOf, FoundClusters, MINUTE, runOf, runOwner, Swept } from './swept.ts';

const OLD = 15 * MINUTE;

let swept: Swept;
let found: FoundClusters;
let reached: string[];
const pass = ({ most = 100, time = MINUTE, from, targets = ['t'] }: Partial<Pass> = {}) =>
  sweepClusters(targets, from, swept.deps, {
    most,
    deadline: swept.now + time,
    onPlace: (place) => Promise.resolve(void reached.push(place)),
  });
interface Pass {
  readonly most: number;
  readonly time: number;
  readonly from: string;
  readonly targets: readonly string[];
}
const placeOf = (name: string, target = 't') => `${target}/flink/${clusterOf(name)}`;
const removed = () => found.removed.map(({ ref }) => ref.clusterId);

beforeEach(() => {
  swept = new Swept();
  found = new FoundClusters(swept, 't');
  reached = [];
});

describe('a cluster of a run', () => {
  const noLedger: Owner = { kind: 'run', runId: runOf('a').runId, attempt: 1 };
  it.each<[string, number, Owner | undefined, number]>([
    ['of which there is no record', OLD, undefined, 1],
    ['that may get its record yet', OLD - 1, undefined, 0],
    ['that another ledger has', OLD, runOwner('a', 'another'), 0],
    ['of no ledger that is known', OLD, noLedger, 0],
    ['that belongs to a pool of another ledger', OLD, { kind: 'pool', pool: 'p', ledger: 'another' }, 0],
  ])('%s', async (_, age, owner, count) => {
    found.add('a', age, owner);
    expect(await pass()).toEqual({ leaked: count, removed: count, unswept: 0 });
    expect(removed()).toHaveLength(count);
  });

  const gone = { removalVerifiedAt: 1 } as Partial<Attempt>;
  it.each<[string, RunRecord, number]>([
    ['that is live', runOf('a'), 0],
    ['that is closed', runOf('a', 'closed'), 1],
    ['that is live and has another one', { ...runOf('b'), runId: runOf('a').runId }, 1],
    ['that is live and had seen it go', withAttempt(runOf('a'), gone), 1],
  ])('%s', async (_, record, count) => {
    found.add('a', OLD);
    await swept.ledger.create(record);
    expect(await pass()).toEqual({ leaked: count, removed: count, unswept: 0 });
    expect(removed()).toHaveLength(count);
  });

  it('goes without what high availability keeps, and no other one of its name', async () => {
    const cluster = found.add('a', OLD);
    await pass();
    expect(found.removed).toEqual([{ ref: cluster, what: { highAvailability: false, uid: 'uid-a' } }]);
    const fields = { ...cluster, runId: runOf('a').runId };
    expect(swept.logged).toEqual([`error a cluster without a live run ${JSON.stringify(fields)}`]);
  });

  it('counts as removed once nothing is left of it', async () => {
    found.goes = false;
    found.add('a', OLD);
    expect(await pass()).toEqual({ leaked: 1, removed: 0, unswept: 0 });
  });

  it('stays where nobody can tell whose it is', async () => {
    found.add('a', OLD);
    found.add('b', OLD);
    swept.ledger.faults.plan('read', 'before', new Error('no'));
    expect(await pass()).toEqual({ leaked: 1, removed: 1, unswept: 0 });
    expect(removed()).toEqual([clusterOf('b')]);
    expect(swept.logged[0]).toMatch(/^warn a cluster could not be swept .*"runId":".*"error":"no"}$/);
  });
});

function withAttempt(record: RunRecord, change: Partial<Attempt>): RunRecord {
  return { ...record, attempts: record.attempts.map((attempt) => ({ ...attempt, ...change })) } as RunRecord;
}

describe('a pass over clusters', () => {
  const NAMES = ['a', 'b', 'c', 'd', 'e'];
  const fill = () => {
    for (const name of ['c', 'a', 'e', 'b', 'd']) found.add(name, OLD);
  };

  it('goes by their places, from behind the last one on, and comes to each once', async () => {
    fill();
    await pass({ from: placeOf('c') });
    expect(removed()).toEqual(['d', 'e', 'a', 'b', 'c'].map(clusterOf));
  });

  it('begins at the beginning without a place', async () => {
    fill();
    await pass();
    expect(removed()).toEqual(NAMES.map(clusterOf));
  });

  it('ends at its number, and says where', async () => {
    fill();
    expect(await pass({ most: 2 })).toMatchObject({ leaked: 2, stoppedAt: placeOf('b') });
    expect(await pass({ most: 0, from: placeOf('b') })).toMatchObject({ leaked: 0, stoppedAt: placeOf('b') });
    expect(await pass({ most: 3 })).toEqual({ leaked: 3, removed: 3, unswept: 0 });
  });

  it('ends at its time', async () => {
    fill();
    found.removalTakes = 10;
    expect(await pass({ time: 20 })).toMatchObject({ leaked: 2, stoppedAt: placeOf('b') });
  });

  it('writes each tenth place down', async () => {
    for (let i = 0; i < 25; i += 1) found.add(`r${String(i).padStart(2, '0')}`, OLD);
    await pass();
    expect(reached).toEqual(['r09', 'r19'].map((name) => placeOf(name)));
  });

  it('goes on with the other targets where one cannot be asked', async () => {
    fill();
    expect(await pass({ targets: ['none', 't', 'gone'] })).toEqual({ leaked: 5, removed: 5, unswept: 2 });
    expect(swept.logged[0]).toBe('warn a target could not be swept {"target":"none","error":"no none"}');
  });

  it.each([
    [49, 0, 2],
    [50, 1, 1],
  ])(
    'takes a target whose namespaces take %i ms each within half of 100 ms: %i unswept',
    async (takes, unswept, leaked) => {
      const slow = new FoundClusters(swept, 's', ['flink', 'more']);
      slow.listTakes = takes;
      slow.add('a', OLD);
      slow.add('b', OLD, runOwner('b'), 'more');
      expect(await pass({ targets: ['s'], time: 100 })).toMatchObject({ unswept, leaked });
    },
  );
});

describe('sessions', () => {
  const owner: Owner = { kind: 'pool', pool: 'p', ledger: 'ledger' };
  const lease = (name: string, namespace = 'flink') =>
    newLease({ target: 't', namespace, clusterId: clusterOf(name) }, { name: 'p', idleAfter: MINUTE });
  let read: string[];

  beforeEach(() => {
    read = [];
    const before = swept.leases.read.bind(swept.leases);
    swept.leases.read = (ref) => {
      read.push(`${ref.namespace}/${ref.clusterId}`);
      return before(ref);
    };
  });

  it('are looked at by their Deployment or their lease, each once, of whatever age', async () => {
    found = new FoundClusters(swept, 't', ['flink', 'more']);
    found.add('stands', 0, owner);
    found.add('theirs', OLD, { ...owner, ledger: 'another' });
    for (const one of [lease('stands'), lease('alone'), lease('alone', 'more')])
      await swept.leases.write(one, undefined);
    found.jobs = ['RUNNING'];
    expect(await pass()).toEqual({ leaked: 0, removed: 0, unswept: 0 });
    expect(read).toEqual([`flink/${clusterOf('alone')}`, `flink/${clusterOf('stands')}`, `more/${clusterOf('alone')}`]);
    expect(removed()).toEqual([]);
  });

  it('of which neither a Deployment nor a lease is left are none', async () => {
    await swept.leases.write(lease('alone'), undefined);
    const list = swept.leases.list.bind(swept.leases);
    swept.leases.list = async (target) => {
      const listed = await list(target);
      for (const one of [...swept.leases.all]) await swept.leases.remove(one, '1');
      return listed;
    };
    await pass();
    expect(swept.leases.all).toEqual([]);
  });

  it('that stand without a lease get one', async () => {
    found.add('stands', 0, owner);
    await pass();
    const clusterId = clusterOf('stands');
    expect(swept.leases.all).toEqual([
      {
        ...{ version: 1, target: 't', namespace: 'flink', clusterId, pool: 'unknown', state: 'open' },
        ...{ runs: {}, idleAfter: 10 * MINUTE, idleSince: swept.now },
      },
    ]);
  });
});
