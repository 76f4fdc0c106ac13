import type { V1Deployment } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import type { Program } from '../prove/servers/flink.ts';
import { expectClosedCleanly } from './world/closed-cleanly.ts';
import { jobMessage, World } from './world/simulated.ts';

const line = (message: string): string => `2026-11-21 03:00:00,000 INFO  org.apache.flink.X [] - ${message}\n`;
const LOG =
  line(`Job job (${'a'.repeat(32)}) switched from state RUNNING to FINISHED.`) +
  line('Application completed SUCCESSFULLY');

const MINUTE = 60_000;
/** Its REST endpoint says nothing. */
const TOLD_BY_LOG: Program = { restAfter: 60 * MINUTE, end: 'FINISHED', log: LOG };

/** The node of each JobManager is drained: its pod is on its way out, and the next one waits for a node. */
function drainNodes({ flink, kubernetes, sim }: World): void {
  const { onStart } = flink;
  flink.onStart = (execution) => {
    onStart(execution);
    const { object } = kubernetes.find('Deployment', execution.clusterId) ?? {};
    const [pod] = kubernetes.all('Pod');
    const [set] = kubernetes.all('ReplicaSet');
    if (pod === undefined || set === undefined) throw new Error('no JobManager');
    kubernetes.startsNone = true;
    pod.deletingAt = sim.now;
    kubernetes.makePod(set, (object as V1Deployment | undefined)?.spec?.template, 2);
    sim.after(3 * MINUTE, () => kubernetes.drop(pod));
  };
}

it.each([
  ['whose log is still there has the outcome that it tells', {}, { state: 'succeeded', reason: 'JobFinished' }],
  [
    'leaves its job to the next JobManager of high availability',
    { flinkConfiguration: { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha/x' } },
    // Nobody could tell that it had finished: it is not run again.
    { state: 'unknown', reason: 'StartDeadlineExceeded' },
  ],
])('a finished job on a node that is drained, %s', async (_what, more, outcome) => {
  const world = new World();
  world.programs = [TOLD_BY_LOG];
  drainNodes(world);
  const { runId } = await world.request(jobMessage({ retry: { attempts: 1 }, deadlines: { start: '1m' }, ...more }));
  await world.drain();
  expect(world.record(runId).outcome).toMatchObject(outcome);
  expectClosedCleanly(world, runId);
});
