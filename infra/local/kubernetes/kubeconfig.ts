import { stringify } from 'yaml';

/** A kubeconfig (YAML) for the local API server. */
export function kubeconfigText(url: string, namespace = 'default'): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'flink-dispatch-local', cluster: { server: url } }],
    users: [{ name: 'developer', user: {} }],
    contexts: [
      { name: 'flink-dispatch-local', context: { cluster: 'flink-dispatch-local', user: 'developer', namespace } },
    ],
    'current-context': 'flink-dispatch-local',
  });
}
