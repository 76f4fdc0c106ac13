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
    close: () => Promise.resolve(),
  });
});

if (process.env['KUBECONFIG'] !== undefined) {
  clustersContract('the Kubernetes of KUBECONFIG', async () =>
    kubernetesHarness(await apiOfKubeconfig(), process.env['FLINK_DISPATCH_PAUSE_IMAGE'] ?? 'localhost/pause:1'),
  );
}
