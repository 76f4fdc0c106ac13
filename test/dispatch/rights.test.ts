import { expect, it } from 'vitest';
import { CRASHES, type Program } from '../prove/servers/flink.ts';
import { expectClosedCleanly } from './world/closed-cleanly.ts';
import { HEALTHY, jobMessage, World } from './world/simulated.ts';

const MINUTE = 60_000;

function refusing(times: number): World {
  const world = new World();
  let left = times;
  world.kubernetes.forbids = ({ method, path }) =>
    method === 'POST' && path.endsWith('/deployments') && (left -= 1) >= 0
      ? 'deployments.apps is forbidden: User "u" cannot create resource "deployments"'
      : undefined;
  return world;
}

it('a Kubernetes that has just begun, and knows no rights yet, fails no run', async () => {
  const world = refusing(3);
  const { runId } = await world.request(jobMessage());
  await world.drain();
  expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
  expect(world.record(runId).attempts).toHaveLength(1);
  expectClosedCleanly(world, runId);
});

it('rights that are missing for good are told after a minute, long before the deadline of the start', async () => {
  const world = refusing(100);
  const { runId } = await world.request(jobMessage({ deadlines: { start: '10m' } }));
  await world.drain();
  const { outcome, createdAt } = world.record(runId);
  expect(outcome).toMatchObject({ state: 'failed', reason: 'PermissionDenied' });
  expect((outcome?.at ?? 0) - createdAt).toBeGreaterThanOrEqual(MINUTE);
  expect((outcome?.at ?? Infinity) - createdAt).toBeLessThan(2 * MINUTE);
  expectClosedCleanly(world, runId);
});

/** What its service account was refused; its log tells how a job goes on, and of none. */
const REFUSED: Program = {
  ...CRASHES,
  log: `2026-11-21 03:00:00,000 INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint [] - starts
2026-11-21 03:00:01,000 ERROR org.apache.flink.runtime.entrypoint.ClusterEntrypoint [] - Fatal error occurred in the cluster entrypoint.
java.lang.RuntimeException: pods is forbidden: User "system:serviceaccount:flink:flink" cannot watch resource "pods" in API group "" in the namespace "flink". Received status: Status(code=403)
`,
};

it.each([
  ['has by now is tried again', true, ['accepted', 'attempt-failed', 'started', 'succeeded']],
  ['lacks still ends its run', false, ['accepted', 'failed']],
  ['may lack, as far as anybody knows, ends its run', undefined, ['accepted', 'failed']],
] as const)('a JobManager that died of a right which it %s', async (_what, grants, states) => {
  const world = new World();
  world.programs = [REFUSED, HEALTHY];
  world.kubernetes.grants = grants;
  const { runId } = await world.request(jobMessage({ retry: { attempts: 2, backoff: '1s' } }));
  await world.drain();
  expect(world.states(runId)).toEqual(states);
  const [first] = world.record(runId).attempts;
  expect(first?.outcome ?? world.record(runId).outcome).toMatchObject({
    reason: grants === true ? 'JobManagerCrashed' : 'ServiceAccountForbidden',
  });
  expectClosedCleanly(world, runId);
});
