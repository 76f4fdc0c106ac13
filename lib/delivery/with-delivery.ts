import type { KubernetesObject, V1Container, V1PodSpec, V1PodTemplateSpec, V1Secret } from '@kubernetes/client-node';
import { defined } from '../core/defined.ts';
import type { ClusterRequest, FlinkCluster } from '../flink/cluster.ts';
import { ownedByDeployment } from '../flink/native/build-cluster.ts';
import { MAIN_CONTAINER } from '../flink/native/flink-pod.ts';
import { commonLabels } from '../flink/native/labels.ts';
import { recommendedLabels } from '../flink/recommended-labels.ts';
import type { ClusterRef } from '../kubernetes/cluster/port.ts';
import type { Delivery, PodParts } from './delivery.ts';

/** The request for a cluster with what its delivery adds. */
export function withDelivery<T extends ClusterRequest>(request: T, delivery: Delivery): T {
  const { image, options, jobManager, taskManager } = delivery;
  return {
    ...request,
    options: {
      ...request.options,
      ...options,
      ...defined({ 'kubernetes.container.image.ref': image }),
      ...(delivery.jarUri.startsWith('http://') ? { 'user.artifacts.raw-http-enabled': 'true' } : {}),
    },
    ...((jobManager ?? taskManager) && {
      podTemplates: {
        ...request.podTemplates,
        ...(jobManager && { jobManager: withParts('jobManager', request.podTemplates ?? {}, jobManager) }),
        ...(taskManager && { taskManager: withParts('taskManager', request.podTemplates ?? {}, taskManager) }),
      },
    }),
  };
}

/** The cluster's objects with those of its delivery. */
export function withSecret(cluster: FlinkCluster, delivery: Delivery): FlinkCluster {
  const { secret } = delivery;
  if (secret === undefined) return cluster;
  return {
    ...cluster,
    dependents: [...cluster.dependents, ownedByDeployment(secretFor(cluster, secret), cluster.clusterId)],
  };
}

/** Of those objects the one that has the delivery's signed URL: pods to come read it anew. */
export function withSignedUrl(cluster: FlinkCluster, { secret }: Delivery): readonly KubernetesObject[] {
  const [kind, name] =
    secret === undefined ? ['ConfigMap', `flink-config-${cluster.clusterId}`] : ['Secret', secret.name];
  return cluster.dependents.filter((object) => object.kind === kind && object.metadata?.name === name);
}

/** Some of its labels are those by which Flink's own objects of a cluster are found. */
export function secretFor(
  { namespace, clusterId }: Pick<ClusterRef, 'namespace' | 'clusterId'>,
  { name, data }: NonNullable<Delivery['secret']>,
): V1Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace,
      labels: { ...recommendedLabels(clusterId, 'jobmanager'), ...commonLabels(clusterId) },
    },
    type: 'Opaque',
    data: Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'utf8').toString('base64')]),
    ),
  };
}

/** What a namespace with the Pod Security Standard `restricted` asks of a container and its pod does not say. */
const CONFINED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

type Templates = NonNullable<ClusterRequest['podTemplates']>;

/** Flink reads a component's own template in place of the common one. */
function withParts(component: 'jobManager' | 'taskManager', templates: Templates, parts: PodParts): V1PodTemplateSpec {
  const template = templates[component] ?? templates.common ?? {};
  return { ...template, spec: addParts(template.spec, parts) };
}

function addParts(spec: V1PodSpec | undefined, { initContainers, volumes, mounts }: PodParts): V1PodSpec {
  const containers = spec?.containers ?? [];
  const main: V1Container = containers.find(({ name }) => name === MAIN_CONTAINER) ?? { name: MAIN_CONTAINER };
  const others = containers.filter(({ name }) => name !== MAIN_CONTAINER);
  return {
    ...spec,
    // First: an init container of the job may want to look at the jar.
    initContainers: [
      ...initContainers.map((one) => ({ securityContext: main.securityContext ?? CONFINED, ...one })),
      ...(spec?.initContainers ?? []),
    ],
    volumes: [...(spec?.volumes ?? []), ...volumes],
    containers: [{ ...main, volumeMounts: [...(main.volumeMounts ?? []), ...mounts] }, ...others],
  };
}
