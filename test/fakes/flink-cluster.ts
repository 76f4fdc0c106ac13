import type { KubernetesObject, V1Container, V1ObjectMeta, V1PodSpec } from '@kubernetes/client-node';
import type { FlinkCluster } from '../../lib/flink/cluster.ts';
import { clusterId as asClusterId } from './ids.ts';

export interface SmallCluster {
  readonly clusterId: string;
  readonly namespace: string;
  readonly image: string;
  /** Default: what the image does by itself. */
  readonly command?: readonly string[];
  readonly pod?: Partial<V1PodSpec>;
  readonly container?: Partial<V1Container>;
}

/** The objects of a cluster, by hand, for tests that are not about what Flink's client makes. */
export function smallCluster(options: SmallCluster): FlinkCluster {
  const { clusterId, namespace } = options;
  const labels = { app: clusterId, type: 'flink-native-kubernetes' };
  const jobManager = { ...labels, component: 'jobmanager' };
  const dependant = (name: string): V1ObjectMeta => ({
    name,
    namespace,
    labels,
    // Without its uid, which only the API server knows.
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'Deployment', name: clusterId, controller: true, blockOwnerDeletion: true },
    ] as unknown as NonNullable<V1ObjectMeta['ownerReferences']>,
  });
  const service = (
    name: string,
    port: { name: string; port: number },
    clusterIP?: string,
  ): KubernetesObject & { spec: unknown } => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: dependant(name),
    spec: { ports: [port], selector: jobManager, ...(clusterIP === undefined ? {} : { clusterIP }) },
  });
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: dependant(`flink-config-${clusterId}`),
    data: { 'config.yaml': '{}' },
  };
  return {
    clusterId: asClusterId(clusterId),
    namespace,
    deployment: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: clusterId, namespace, labels: jobManager },
      spec: {
        replicas: 1,
        selector: { matchLabels: jobManager },
        template: { metadata: { labels: jobManager }, spec: podSpec(options) },
      },
    },
    dependents: [
      configMap,
      service(clusterId, { name: 'jobmanager-rpc', port: 6123 }, 'None'),
      service(`${clusterId}-rest`, { name: 'rest', port: 8081 }),
    ],
    configuration: {},
  };
}

function podSpec({ clusterId, image, command, pod, container }: SmallCluster): V1PodSpec {
  return {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'flink-main-container',
        image,
        imagePullPolicy: 'IfNotPresent',
        ...(command === undefined ? {} : { command: [...command] }),
        volumeMounts: [{ name: 'flink-config-volume', mountPath: '/opt/flink/conf' }],
        ...container,
      },
    ],
    ...pod,
    volumes: [
      { name: 'flink-config-volume', configMap: { name: `flink-config-${clusterId}` } },
      ...(pod?.volumes ?? []),
    ],
  };
}
