import type { KubernetesObject, V1PodTemplateSpec } from '@kubernetes/client-node';
import type { FlinkCluster } from './cluster.ts';

type Component = 'jobmanager' | 'taskmanager';

/**
 * Kubernetes' recommended labels, for objects that Flink itself does not make: tools show by them what belongs together.
 * Nothing is selected by them. `component` is absent where both have a use for the object.
 */
export function recommendedLabels(clusterId: string, component?: Component): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'flink',
    'app.kubernetes.io/instance': clusterId,
    ...(component !== undefined && { 'app.kubernetes.io/component': component }),
  };
}

/** The cluster with those labels on its objects and pods, where its author has not set them. */
export function withRecommendedLabels(cluster: FlinkCluster): FlinkCluster {
  const { clusterId, deployment, dependents } = cluster;
  return {
    ...cluster,
    deployment: labelled(deployment, clusterId),
    dependents: dependents.map((object) => labelled(object, clusterId)),
  };
}

function labelled<T extends KubernetesObject>(object: T, clusterId: string): T {
  const { metadata } = object;
  const component = metadata?.labels?.['component'] as Component | undefined;
  const labels = { ...recommendedLabels(clusterId, component), ...metadata?.labels };
  return { ...object, ...withPods(object, clusterId, component), metadata: { ...metadata, labels } };
}

function withPods(object: KubernetesObject, clusterId: string, component: Component | undefined): object {
  if (object.kind !== 'Deployment' || !('spec' in object)) return {};
  const spec = object.spec as { readonly template: V1PodTemplateSpec };
  const { metadata } = spec.template;
  const labels = { ...recommendedLabels(clusterId, component), ...metadata?.labels };
  return { spec: { ...spec, template: { ...spec.template, metadata: { ...metadata, labels } } } };
}
