import { expect, it } from 'vitest';
import type { PodFacts } from '../../lib/kubernetes/cluster/port.ts';
import { healthyPods, type Behaviour } from './scripted/fake-flink.ts';
import { expectClosedCleanly } from './scripted/invariants.ts';
import { jobMessage, World } from './scripted/world.ts';

const line = (message: string): string => `2026-11-21 03:00:00,000 INFO  org.apache.flink.X [] - ${message}\n`;
const LOG =
  line(`Job job (${'a'.repeat(32)}) switched from state RUNNING to FINISHED.`) +
  line('Application completed SUCCESSFULLY');

/** The node of the JobManager is drained: its pod goes, and the next one waits for a node. */
const DRAINED: Behaviour = {
  pods: (ref, createdAt) => healthyPods(ref, createdAt).flatMap((pod) => (isJobManager(pod) ? afterDrain(pod) : [pod])),
  log: (pod) => (pod.endsWith('-next') ? '' : LOG),
};

function isJobManager({ component }: PodFacts): boolean {
  return component === 'jobmanager';
}

function afterDrain(pod: PodFacts): readonly PodFacts[] {
  const containers = pod.containers.map((container) => ({ ...container, state: 'waiting' as const, ready: false }));
  const next = {
    ...pod,
    name: `${pod.name}-next`,
    uid: 'next',
    createdAt: pod.createdAt + 1,
    ready: false,
    containers,
  };
  return [{ ...pod, deleting: true }, next];
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
  world.flink.behaviours = [DRAINED];
  const { runId } = await world.request(jobMessage({ retry: { attempts: 1 }, deadlines: { start: '1m' }, ...more }));
  await world.drain();
  expect(world.record(runId).outcome).toMatchObject(outcome);
  await expectClosedCleanly(world, runId);
});
