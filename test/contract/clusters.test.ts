import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKubernetes } from '../../packages/local-kubernetes/src/server.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection } from '../../lib/kubernetes/access/kubeconfig.ts';
import { createFakeClusters } from '../fakes/clusters.ts';
import { clustersContract } from './support/clusters-contract.ts';
import { apiOfKubeconfig, kubernetesHarness } from './support/kubernetes.ts';

clustersContract('in memory', () => {
  const clusters = createFakeClusters({ now: () => Date.now() });
  return Promise.resolve({
    clusters,
    namespace: 'flink',
    image: 'none',
    addHighAvailability: (ref, name) => Promise.resolve(clusters.addHighAvailability(ref, name)),
    vanish: (ref) => Promise.resolve(clusters.vanish(ref)),
    mayStart: (ref) => Promise.resolve(clusters.standing(ref)?.withheld === false),
    close: () => Promise.resolve(),
  });
});

clustersContract('the local Kubernetes', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'flink-dispatch-'));
  const kubernetes = await startKubernetes({ dataDir, images: { busybox: {} }, log: () => undefined });
  const api = createKubernetesApi(await kubeconfigConnection({ text: kubernetes.kubeconfig }));
  const harness = await kubernetesHarness(api, 'busybox', ['sleep', '600']);
  return {
    ...harness,
    async close() {
      await harness.close();
      await kubernetes.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
});

if (process.env['KUBECONFIG'] !== undefined) {
  clustersContract('the Kubernetes of KUBECONFIG', async () =>
    kubernetesHarness(await apiOfKubeconfig(), process.env['FLINK_DISPATCH_PAUSE_IMAGE'] ?? 'localhost/pause:1'),
  );
}
