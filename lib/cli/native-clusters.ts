import * as z from 'zod';
import { apiPath, type KubernetesApi } from '../cluster/api.ts';
import { apiError } from './api-error.ts';
import type { Instant } from '../core/clock.ts';
import { parseClusterId, type ClusterId } from '../core/ids.ts';

/** Constants.LABEL_TYPE_NATIVE_TYPE and LABEL_COMPONENT_JOB_MANAGER: what Flink's own client marks its Deployments with. */
const SELECTOR = 'type=flink-native-kubernetes,component=jobmanager';

export interface NativeCluster {
  readonly clusterId: ClusterId;
  readonly namespace: string;
  readonly mode: 'application' | 'session';
  readonly image: string;
  readonly createdAt: Instant;
  readonly ready: boolean;
}

const Deployment = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), creationTimestamp: z.string() }),
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(z.object({ image: z.string().optional(), args: z.array(z.string()).optional() })),
      }),
    }),
  }),
  status: z.object({ readyReplicas: z.number().optional() }).optional(),
});

/** All native Flink clusters of a namespace, whoever made them. */
export async function listNativeClusters(api: KubernetesApi, namespace: string): Promise<NativeCluster[]> {
  const path = apiPath('apis', 'apps', 'v1', 'namespaces', namespace, 'deployments');
  const response = await api.request({ method: 'GET', path, query: { labelSelector: SELECTOR } });
  if (response.status !== 200) throw apiError(response, `Deployments of namespace ${namespace}`);
  const { items } = z.object({ items: z.array(Deployment) }).parse(response.body);
  return items.map(toCluster);
}

export async function findNativeCluster(
  api: KubernetesApi,
  namespace: string,
  id: ClusterId,
): Promise<NativeCluster | undefined> {
  const path = apiPath('apis', 'apps', 'v1', 'namespaces', namespace, 'deployments', id);
  const response = await api.request({ method: 'GET', path });
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw apiError(response, `Deployment ${namespace}/${id}`);
  return toCluster(Deployment.parse(response.body));
}

function toCluster({ metadata, spec, status }: z.infer<typeof Deployment>): NativeCluster {
  const { containers } = spec.template.spec;
  const args = containers.flatMap((container) => container.args ?? []).join(' ');
  return {
    clusterId: parseClusterId(metadata.name),
    namespace: metadata.namespace,
    mode: args.includes('kubernetes-session') ? 'session' : 'application',
    image: containers[0]?.image ?? '',
    createdAt: Date.parse(metadata.creationTimestamp),
    ready: (status?.readyReplicas ?? 0) > 0,
  };
}
