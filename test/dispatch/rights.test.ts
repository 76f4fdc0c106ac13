import { expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { expectClosedCleanly } from './world/invariants.ts';
import { jobMessage, World } from './world/world.ts';

const MINUTE = 60_000;

function refusing(times: number): World {
  const world = new World();
  const error = new DispatchError('PermissionDenied', 'User "u" cannot create resource "deployments"');
  for (let i = 0; i < times; i += 1) world.clusters.faults.push({ method: 'apply', when: 'before', error });
  return world;
}

it('a Kubernetes that has just begun, and knows no rights yet, fails no run', async () => {
  const world = refusing(3);
  const { runId } = await world.request(jobMessage());
  await world.drain();
  expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
  expect(world.record(runId).attempts).toHaveLength(1);
  await expectClosedCleanly(world, runId);
});

it('rights that are missing for good are told after a minute, long before the deadline of the start', async () => {
  const world = refusing(100);
  const { runId } = await world.request(jobMessage({ deadlines: { start: '10m' } }));
  await world.drain();
  const { outcome, createdAt } = world.record(runId);
  expect(outcome).toMatchObject({ state: 'failed', reason: 'PermissionDenied' });
  expect((outcome?.at ?? 0) - createdAt).toBeGreaterThanOrEqual(MINUTE);
  expect((outcome?.at ?? Infinity) - createdAt).toBeLessThan(2 * MINUTE);
  await expectClosedCleanly(world, runId);
});
