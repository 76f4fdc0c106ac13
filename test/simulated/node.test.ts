import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startKubernetes, type LocalKubernetes } from '../../packages/local-kubernetes/src/server.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection } from '../../lib/kubernetes/access/kubeconfig.ts';
import { createRestTransport } from '../../lib/kubernetes/access/rest-access.ts';
import { withStartPermit } from '../../lib/kubernetes/cluster/start-permit.ts';
import { clusterIdFor, jobIdFor, runIdFor } from '../../lib/core/ids.ts';
import { buildCluster } from '../../lib/flink/native/build-cluster.ts';
import { SimulatedNode } from './node.ts';

const runId = runIdFor('node');
const owner = { kind: 'run', runId, attempt: 1 } as const;
const clusterId = clusterIdFor('node', runId, 1);
const jobId = jobIdFor(runId, 1);
const ref = { namespace: 'default', clusterId };
const CLUSTER = withStartPermit(
  buildCluster({
    flinkVersion: '2.3',
    mode: 'application',
    options: {
      'kubernetes.cluster-id': clusterId,
      'kubernetes.namespace': ref.namespace,
      '$internal.pipeline.job-id': jobId,
    },
    program: { jars: ['local:///opt/flink/usrlib/job.jar'], args: [] },
  }),
);

let folder: string;
let server: LocalKubernetes;
let node: SimulatedNode | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'node-test-'));
  server = await startKubernetes({
    dataDir: folder,
    images: {},
    log: () => undefined,
    node: (services) => (node = new SimulatedNode(services, { starts: 1, stops: 1, runs: () => 60_000 })),
  });
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('a pod waits for its ConfigMaps, answers as a JobManager with its job, and goes with its cluster', async () => {
  const api = createKubernetesApi(await kubeconfigConnection({ text: server.kubeconfig }));
  const clusters = createClusters(api);
  const isReady = async (): Promise<readonly boolean[]> => (await clusters.observe(ref)).pods.map(({ ready }) => ready);
  const mayStart = async (): Promise<'grant'> => {
    // The Deployment is there, its permit is not yet.
    await expect.poll(isReady).toEqual([false]);
    expect(node?.begun).toEqual([]);
    return 'grant';
  };
  await clusters.apply(CLUSTER, owner, mayStart);
  await expect.poll(isReady).toEqual([true]);
  expect(node?.begun).toEqual([expect.objectContaining({ clusterId, jobId })]);
  const rest = createRestTransport(api, ref, { kind: 'service-proxy' });
  expect((await rest({ method: 'GET', path: '/jobs/overview' })).body).toMatchObject({
    jobs: [{ jid: jobId, state: 'RUNNING' }],
  });
  expect((await rest({ method: 'GET', path: '/jobs/other' })).status).toBe(404);
  await clusters.remove(ref, { highAvailability: true });
  await expect.poll(() => clusters.remains(ref)).toEqual([]);
  expect(node?.begun).toHaveLength(1);
});
