import type { V1Deployment } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import type { Program } from '../prove/servers/flink.ts';
import { expectClosedCleanly } from './world/closed-cleanly.ts';
import { jobMessage, World } from './world/simulated.ts';

/** Faster than anybody looks. */
const AT_ONCE: Program = { restAfter: 600, runsAfter: 605, endsAfter: 610, end: 'FINISHED' };

/** The node of the JobManager is drained: its pod goes, and the next one waits for a node. */
function drain({ kubernetes, sim }: World, clusterId: string): void {
  const [pod] = kubernetes.all('Pod').filter(({ labels }) => labels['app'] === clusterId);
  const set = kubernetes.find('ReplicaSet', `${clusterId}-rs`);
  const deployment = kubernetes.find('Deployment', clusterId)?.object as V1Deployment | undefined;
  if (pod?.container === undefined || set === undefined) throw new Error(`${clusterId} has no JobManager`);
  pod.deletingAt = sim.now;
  pod.container = { ...pod.container, state: 'terminated', reason: 'Error', exitCode: 143, finishedAt: sim.now };
  sim.after(300_000, () => kubernetes.drop(pod));
  kubernetes.startsNone = true;
  kubernetes.makePod(set, deployment?.spec?.template, 2);
}

it.each([
  ['whose log is still there has the outcome that it tells', {}, { state: 'succeeded', reason: 'JobFinished' }],
  [
    'leaves its job to the next JobManager of high availability',
    { flinkConfiguration: { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha/x' } },
    { state: 'failed', reason: 'StartDeadlineExceeded' },
  ],
])('a finished job on a node that is drained, %s', async (_what, more, outcome) => {
  const world = new World();
  world.programs = [AT_ONCE];
  const { onEnd } = world.flink;
  world.flink.onEnd = (execution) => {
    onEnd(execution);
    drain(world, execution.clusterId);
  };
  const { runId } = await world.request(jobMessage({ retry: { attempts: 1 }, deadlines: { start: '1m' }, ...more }));
  await world.drain();
  const [finished, ...others] = world.flink.executions;
  expect(others).toEqual([]);
  expect(finished?.end).toBe('FINISHED');
  expect(world.record(runId).outcome).toMatchObject(outcome);
  expectClosedCleanly(world, runId);
});
