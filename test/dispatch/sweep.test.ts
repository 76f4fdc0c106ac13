import { describe, expect, it } from 'vitest';
import { sweep } from '../../lib/dispatch/sweep/sweep.ts';
import type { SweepDeps } from '../../lib/dispatch/sweep/sweep-deps.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import type { Target } from '../../lib/dispatch/targets.ts';
import type { SweepCursor } from '../../lib/run/store/live-runs.ts';
import { clusterIdFor, runIdFor } from '../../lib/core/ids.ts';
import { World } from './world/simulated.ts';

const MINUTE = 60_000;

/** Leaked clusters of targets `a`, `b` and so on, of which some take long to list or to remove. */
function worldOf(takes: Readonly<Record<string, { readonly list?: number; readonly count: number }>>) {
  const world = new World();
  const written: SweepCursor[] = [];
  const removed: string[] = [];
  /** The function is ended by Lambda after so many removals. */
  const ends = { after: -1 };
  const targets: SweepDeps['targets'] = (name) => {
    const { list = 0, count } = takes[name] ?? { count: 0 };
    const ids = Array.from({ length: count }, (_, i) =>
      clusterIdFor(`c${String(i).padStart(3, '0')}`, runIdFor(name), 1),
    );
    const cluster = {
      async list() {
        // Others answer meanwhile.
        for (let turns = 0; list > 0 && turns < 100; turns += 1) await Promise.resolve();
        world.clock.time += list;
        const owner = { kind: 'run', runId: runIdFor(name), attempt: 1, ledger: 'ledger' } as const;
        return ids.map((clusterId) => ({ namespace: 'flink', clusterId, uid: 'u', owner, createdAt: -60 * MINUTE }));
      },
      remove: ({ clusterId }: ClusterRef) => Promise.resolve(void removed.push(`${name}/${clusterId}`)),
      remains({ clusterId }: ClusterRef) {
        if (removed.length === ends.after) return new Promise(() => undefined);
        return Promise.resolve(removed.includes(`${name}/${clusterId}`) ? [] : [clusterId]);
      },
    };
    return Promise.resolve({ cluster, namespaces: ['flink', 'flink'].slice(list > 0 ? 0 : 1) } as unknown as Target);
  };
  const cursors = {
    read: () => Promise.resolve(written.at(-1) ?? {}),
    write: (place: SweepCursor) => Promise.resolve(void written.push(place)),
  };
  // All that is asked of S3 answers at once, and has nothing.
  const deps: SweepDeps = {
    ...{ ...world.sweeper, targets, cursors },
    live: { ...world.sweeper.live, list: () => Promise.resolve([]) },
    deployments: { ...world.sweeper.deployments, list: () => Promise.resolve([]) },
    ledger: { ...world.sweeper.ledger, read: () => Promise.resolve(undefined) },
    leases: { ...world.sweeper.leases, list: () => Promise.resolve([]) },
  };
  const pass = () => sweep(Object.keys(takes), deps, { most: 100, deadline: world.clock.now() + MINUTE });
  return { written, removed, ends, pass };
}

describe('a sweep', () => {
  it('reaches every target beside one that answers slowly', async () => {
    const { removed, pass } = worldOf({ a: { list: 50_000, count: 1 }, b: { count: 1 }, c: { count: 1 } });
    expect(await pass()).toMatchObject({ unswept: 1 });
    await pass();
    expect([...new Set(removed.map((name) => name[0]))].sort()).toEqual(['a', 'b', 'c']);
  });

  it('writes its place while it goes: one that is ended in the middle is gone on with', async () => {
    const { written, removed, ends, pass } = worldOf({ a: { count: 40 } });
    ends.after = 25;
    void pass();
    for (let turns = 0; turns < 5_000; turns += 1) await Promise.resolve();
    expect(removed).toHaveLength(25);
    expect(written.at(-1)?.cluster).toContain('/c019-');
    ends.after = -1;
    removed.length = 0;
    expect(await pass()).toMatchObject({ leaked: 40, removed: 40 });
    expect(removed[0]).toContain('a/c020-');
    expect(removed).toHaveLength(40);
  });

  it('takes a marker without a record away after an hour, and not before: its record may be on its way', async () => {
    const world = new World();
    const run = {
      runId: runIdFor('lost'),
      place: runIdFor('lost'),
      version: 'v1',
      markedAt: world.clock.now(),
      rows: [],
    };
    const forgotten: unknown[] = [];
    const live: SweepDeps['live'] = {
      list: ({ after }) => Promise.resolve(after === undefined ? [run] : []),
      forget: (one) => Promise.resolve(void forgotten.push(one)),
      mend: () => Promise.resolve(false),
    };
    const pass = () => sweep([], { ...world.sweeper, live }, { most: 100, deadline: world.clock.now() + MINUTE });
    world.clock.time += 60 * MINUTE - 1_000;
    await pass();
    expect(forgotten).toEqual([]);
    world.clock.time += 1_000;
    await pass();
    expect(forgotten).toEqual([run]);
  });
});
