import { describe, expect, it } from 'vitest';
import { cancelRun } from '../../lib/dispatch/cancel.ts';
import { ABANDON_LIMIT, FORBIDDEN_LIMIT, UNSEEN_LIMIT } from '../../lib/verdict/without-look.ts';
import { FOREVER, jobMessage, World } from './world/simulated.ts';

const MINUTE = 60_000;

/** A run that runs, on a cluster of which no look succeeds from then on. */
async function unseen(
  reason: 'PermissionDenied' | 'ClusterUnavailable',
  changes: Parameters<typeof jobMessage>[0] = {},
) {
  const world = new World();
  world.programs = [FOREVER];
  const { runId } = await world.request(jobMessage(changes));
  await world.drainFor(30_000);
  expect(world.record(runId).state).toBe('running');
  const since = world.clock.now();
  if (reason === 'PermissionDenied') world.kubernetes.forbids = () => 'no Role';
  else world.plans.strike(/ · k8s /, 'refused', Infinity);
  return { world, runId, since };
}

/** Of a day of looks in vain, the first minutes and the last forty. */
async function untilDay(world: World, until: number): Promise<void> {
  await world.drainFor(5 * MINUTE);
  world.clock.time = Math.max(world.clock.time, until - 40 * MINUTE);
  await world.drain(until);
}

describe('a run whose cluster cannot be looked at any more', () => {
  it.each([
    ['PermissionDenied', FORBIDDEN_LIMIT],
    ['ClusterUnavailable', UNSEEN_LIMIT],
  ] as const)('ends as unknown after its patience with %s, and is announced', async (reason, limit) => {
    const { world, runId, since } = await unseen(reason);
    await untilDay(world, since + limit + 3 * MINUTE);
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
    await world.drain(since + FORBIDDEN_LIMIT + 5 * MINUTE);
    await untilDay(world, since + FORBIDDEN_LIMIT + ABANDON_LIMIT + 30 * MINUTE);
    expect(world.record(runId).state).toBe('closed');
    expect(world.record(runId).attempts[0]).not.toHaveProperty('removalVerifiedAt');
    expect(world.logged.join('\n')).toContain('closed without proof');
  });
});
