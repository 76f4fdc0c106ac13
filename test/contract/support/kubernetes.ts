import { randomBytes } from 'node:crypto';
import { apiPath, type ApiRequest, type KubernetesApi } from '../../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../../lib/kubernetes/cluster/clusters.ts';
import { createKubernetesApi } from '../../../lib/kubernetes/api/https-api.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../../lib/kubernetes/access/kubeconfig.ts';
import type { ClustersHarness } from './clusters-contract.ts';

/** The Kubernetes that KUBECONFIG names. */
export async function apiOfKubeconfig(): Promise<KubernetesApi> {
  return createKubernetesApi(await kubeconfigConnection({ files: kubeconfigFiles(process.env) }));
}

/** @throws for any status but 2xx, so that a test does not go on with a half-made world */
export async function must(api: KubernetesApi, request: ApiRequest): Promise<unknown> {
  const response = await api.request(request);
  if (response.status >= 300) {
    throw new Error(`${request.method} ${request.path}: ${response.status} ${JSON.stringify(response.body)}`);
  }
  return response.body;
}

/** A namespace of its own, which goes with all that is in it. */
export async function makeNamespace(api: KubernetesApi): Promise<{ readonly name: string; remove(): Promise<void> }> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  await must(api, { method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
  return {
    name,
    remove: async () => {
      const path = apiPath('api', 'v1', 'namespaces', name);
      const { status } = await api.request({ method: 'DELETE', path });
      // A test may have removed it itself; one that goes already may be in conflict.
      if (status >= 300 && status !== 404 && status !== 409) throw new Error(`DELETE ${path}: ${status}`);
    },
  };
}

/** The adapter on a real API server. */
export async function kubernetesHarness(
  api: KubernetesApi,
  image: string,
  command?: readonly string[],
): Promise<ClustersHarness> {
  const namespace = await makeNamespace(api);
  return {
    clusters: createClusters(api),
    namespace: namespace.name,
    image,
    ...(command === undefined ? {} : { command }),
    async addHighAvailability(ref, name) {
      // As of Flink 2.0; before, there was also `configmap-type: high-availability`.
      const labels = { app: ref.clusterId, type: 'flink-native-kubernetes' };
      const path = apiPath('api', 'v1', 'namespaces', ref.namespace, 'configmaps');
      await must(api, { method: 'POST', path, body: { metadata: { name, labels } } });
    },
    async vanish(ref) {
      const path = apiPath('apis', 'apps', 'v1', 'namespaces', ref.namespace, 'deployments', ref.clusterId);
      await must(api, { method: 'DELETE', path, body: { propagationPolicy: 'Background' } });
    },
    async mayStart({ namespace, clusterId }) {
      const path = apiPath('api', 'v1', 'namespaces', namespace, 'configmaps', `start-permit-${clusterId}`);
      const { data } = (await must(api, { method: 'GET', path })) as { readonly data?: Record<string, string> };
      return data?.['start'] !== undefined;
    },
    close: () => namespace.remove(),
  };
}
