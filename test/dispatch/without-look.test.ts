import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import type { Reason } from '../../lib/core/reasons.ts';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { ABANDON_LIMIT, FORBIDDEN_LIMIT, UNSEEN_LIMIT } from '../../lib/verdict/without-look.ts';
import { jobMessage, World } from './world/world.ts';

const MINUTE = 60_000;

/** A run that runs, on a cluster of which no look succeeds from then on. */
async function unseen(reason: Reason, changes: Parameters<typeof jobMessage>[0] = {}) {
  const world = new World();
  world.flink.behaviours = [{ restAfter: 600, runsAfter: 1_100 }];
  const { runId } = await world.request(jobMessage(changes));
  await world.drainFor(30_000);
  expect(world.record(runId).state).toBe('running');
  const since = world.clock.now();
  const error = new DispatchError(reason, 'no look');
  for (const method of ['observe', 'remove', 'remains', 'withdraw'] as const) {
    for (let times = 0; times < 6_000; times += 1) world.clusters.faults.push({ method, when: 'before', error });
  }
  return { world, runId, since };
}

describe('a run whose cluster cannot be looked at any more', () => {
  it.each([
    ['PermissionDenied', FORBIDDEN_LIMIT],
    ['ClusterUnavailable', UNSEEN_LIMIT],
  ] as const)('ends as unknown after its patience with %s, and is announced', async (reason, limit) => {
    const { world, runId, since } = await unseen(reason);
    await world.drain(since + limit + 3 * MINUTE);
    const { outcome } = world.record(runId);
    expect(outcome).toMatchObject({ state: 'unknown', reason, rule: 'no-look' });
    expect(outcome?.at).toBeGreaterThanOrEqual(since + limit);
    expect(world.states(runId).at(-1)).toBe('unknown');
  });

  it('meets deadlines.run all the same', async () => {
    const { world, runId, since } = await unseen('ClusterUnavailable', { deadlines: { start: '1m', run: '5m' } });
    await world.drain(since + 8 * MINUTE);
    expect(world.record(runId).outcome).toMatchObject({
      state: 'unknown',
      reason: 'ClusterUnavailable',
      message: expect.stringContaining('deadlines.run is over') as string,
    });
  });

  it('is canceled when somebody asks', async () => {
    const { world, runId, since } = await unseen('PermissionDenied');
    await cancelRun(runId, { by: 'somebody', reason: 'JobCanceled' }, world.dispatch);
    await world.drain(since + 5 * MINUTE);
    expect(world.record(runId).outcome).toMatchObject({ state: 'canceled', reason: 'JobCanceled' });
  });

  it('is closed without proof in the end, and said to be', async () => {
    const { world, runId, since } = await unseen('PermissionDenied');
    await world.drain(since + FORBIDDEN_LIMIT + ABANDON_LIMIT + 30 * MINUTE);
    expect(world.record(runId).state).toBe('closed');
    expect(world.record(runId).attempts[0]).not.toHaveProperty('removalVerifiedAt');
    expect(world.logged.join('\n')).toContain('closed without proof');
  });
});
