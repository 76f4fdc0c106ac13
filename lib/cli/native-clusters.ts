import * as z from 'zod';
import type { KubernetesApi } from '../cluster/api.ts';
import { createObjectClient } from '../cluster/client.ts';
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
  const found = await createObjectClient(api).list('Deployment', namespace, { labelSelector: SELECTOR });
  return found.map((deployment) => toCluster(Deployment.parse(deployment)));
}

export async function findNativeCluster(
  api: KubernetesApi,
  namespace: string,
  id: ClusterId,
): Promise<NativeCluster | undefined> {
  const found = await createObjectClient(api).get('Deployment', namespace, id);
  return found === undefined ? undefined : toCluster(Deployment.parse(found));
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
