import type { V1Deployment } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { planCluster } from '../../lib/dispatch/plan-cluster.ts';
import { commonLabels } from '../../lib/flink/native/labels.ts';
import { recommendedLabels } from '../../lib/flink/recommended-labels.ts';
import { ATTEMPT_ANNOTATION, MANAGED_BY, RUN_ID_ANNOTATION } from '../../lib/kubernetes/cluster/owner-metadata.ts';
import { expectClosedCleanly } from './world/closed-cleanly.ts';
import { jobMessage, World } from './world/simulated.ts';
import { ownerOf } from '../fakes/ids.ts';

const STANDALONE = { mode: 'standalone', taskManager: { replicas: 3 } };

it('a standalone run goes the way of any other', async () => {
  const world = new World();
  const { runId } = await world.request(jobMessage(STANDALONE));
  await world.drain();
  expect(world.states(runId)).toEqual(['accepted', 'started', 'succeeded']);
  expect(world.record(runId).job).toMatchObject({ mode: 'standalone', taskManagers: 3 });
  expectClosedCleanly(world, runId);
});

it('has Deployments of its own, which the sweeper finds, jobs of any id, and one JobManager that may start', async () => {
  const world = new World();
  const { runId } = await world.request(jobMessage(STANDALONE));
  await world.drain();
  const { job, attempts } = world.record(runId);
  const [attempt] = attempts;
  if (job === undefined || attempt === undefined) throw new Error('not launched');
  const { clusterId, jobId } = attempt;
  const delivery = { jarUri: job.jar.uri };
  const cluster = planCluster(job, { clusterId, jobId, owner: ownerOf(runId), delivery });
  const { metadata, spec } = cluster.deployment;
  expect(metadata?.labels).toMatchObject({ [MANAGED_BY.name]: MANAGED_BY.value });
  expect(metadata?.annotations).toMatchObject({ [RUN_ID_ANNOTATION]: runId, [ATTEMPT_ANNOTATION]: '1' });
  const [container] = spec?.template.spec?.containers ?? [];
  expect(container?.args).toEqual(
    expect.arrayContaining(['standalone-job', '--job-classname', 'a.B', '--jars', job.jar.uri]),
  );
  expect(container?.args).not.toContain('--job-id');
  expect(cluster.configuration).toMatchObject({ 'execution.shutdown-on-application-finish': 'false' });
  const taskManagers = cluster.dependents.filter(({ kind }) => kind === 'Deployment') as V1Deployment[];
  expect(taskManagers.map((one) => one.spec?.replicas)).toEqual([3]);
  expect(taskManagers[0]?.metadata?.labels).not.toHaveProperty([MANAGED_BY.name]);
  const permit = cluster.dependents.find((one) => one.metadata?.name === `start-permit-${clusterId}`);
  expect(permit?.metadata?.labels).toEqual({
    ...commonLabels(clusterId),
    ...recommendedLabels(clusterId, 'jobmanager'),
  });
});

it('more TaskManagers than the deployment allows are refused', async () => {
  const world = new World();
  const { runId, result } = await world.request(jobMessage({ ...STANDALONE, taskManager: { replicas: 9_999 } }));
  expect(result).toBe('rejected');
  expect(world.record(runId).outcome).toMatchObject({ reason: 'NotAllowed' });
});
