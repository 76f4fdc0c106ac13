/** KubernetesUtils.getCommonLabels: on every object. */
export function commonLabels(clusterId: string): Record<string, string> {
  return { type: 'flink-native-kubernetes', app: clusterId };
}

/** KubernetesUtils.getJobManagerSelectors: what finds the JobManager's pods. */
export function jobManagerSelectors(clusterId: string): Record<string, string> {
  return { ...commonLabels(clusterId), component: 'jobmanager' };
}

/** KubernetesUtils.getTaskManagerSelectors. */
export function taskManagerSelectors(clusterId: string): Record<string, string> {
  return { ...commonLabels(clusterId), component: 'taskmanager' };
}
