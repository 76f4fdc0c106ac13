import type { V1ConfigMap } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { clusterIdFor, jobIdFor } from '../../lib/core/ids.ts';
import { planCluster } from '../../lib/dispatch/plan-cluster.ts';
import { jobMessage, World } from './world/simulated.ts';
import { ownerOf } from '../fakes/ids.ts';

it('a misspelt option is refused at once, and named', async () => {
  const world = new World();
  const flinkConfiguration = { 'kubernetes.jobmanger.labels': 'a:b' };
  const { runId, result } = await world.request(jobMessage({ flinkConfiguration }));
  await world.drain();
  expect(result).toBe('rejected');
  expect(world.record(runId).outcome).toMatchObject({
    state: 'rejected',
    reason: 'InvalidConfiguration',
    field: 'kubernetes.jobmanger.labels',
    message: expect.stringContaining('did you mean kubernetes.jobmanager.labels?') as string,
  });
  expect(world.clusters).toEqual([]);
});

it('an option that only deserves a warning is no reason to refuse, and logConfiguration is in the ConfigMap', async () => {
  const world = new World();
  const flinkConfiguration = { 'kubernetes.jobmanager.cpu': '1', 'kubernetes.something.else': 'x' };
  const logConfiguration = { 'log4j-console.properties': 'rootLogger.level = WARN' };
  const { runId, result } = await world.request(jobMessage({ flinkConfiguration, logConfiguration }));
  expect(result).toBe('accepted');
  const { job } = world.record(runId);
  if (job === undefined) throw new Error('accepted without a job');
  const { dependents: dependents } = planCluster(job, {
    clusterId: clusterIdFor(job.name, runId, 1),
    jobId: jobIdFor(runId, 1),
    owner: ownerOf(runId),
    delivery: { jarUri: job.jar.uri },
  });
  const maps = dependents.filter(({ kind }) => kind === 'ConfigMap') as V1ConfigMap[];
  expect(maps.map(({ data }) => data)).toContainEqual(expect.objectContaining(logConfiguration));
});
