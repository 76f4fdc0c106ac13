import { describe, expect, it } from 'vitest';
import type { Workload } from '../workload.ts';
import { World } from '../world.ts';

/** Requests at the same time, in a namespace whose quota has room for one cluster of a JobManager and a TaskManager. */
function workloadOf(requests: number): Workload {
  const names = Array.from({ length: requests }, (_, index) => `r${index + 1}`);
  return {
    wishes: names.map((name, index) => ({
      name,
      kind: 'message',
      at: 25 * index,
      spec: { name, image: 'flink:2.3.0', job: { kind: 'batch' } },
      streams: false,
      fromBucket: false,
      idempotencyKey: `key-${name}`,
      sends: 1,
      conflicts: false,
      cancels: [],
    })),
    quota: { of: 'pods', most: 2 },
    rate: 0,
    mostFaults: 0,
    losesRunMessages: false,
  };
}

describe('a quota with room for one cluster', () => {
  it.each([6, 30])('lets %i runs through one by one, each launched once', async (requests) => {
    const world = new World({ seed: 1, workload: workloadOf(requests) });
    world.flink.programOf = () => ({ restAfter: 3_000, runsAfter: 4_000, endsAfter: 9_000, end: 'FINISHED' });
    const made: string[] = [];
    world.kubernetes.watchers.push({
      created: ({ kind, name }) => void (kind === 'Deployment' && made.push(name)),
      deleted: () => undefined,
      gone: () => undefined,
    });
    await world.live();
    expect(world.invariants.violations).toEqual([]);
    const ends = world.wishes.map(({ name }) => world.invariants.recordNamed(name)?.outcome?.state);
    expect(ends).toEqual(Array.from({ length: requests }, () => 'succeeded'));
    expect(world.flink.executions).toHaveLength(requests);
    expect(made.length).toBeLessThanOrEqual(1.2 * requests);
  });
});
