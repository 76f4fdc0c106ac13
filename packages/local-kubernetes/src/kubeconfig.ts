import { stringify } from 'yaml';

/** A kubeconfig (YAML) for the local API server; @kubernetes/client-node speaks plain HTTP only where TLS is not verified. */
export function kubeconfigText(url: string, namespace = 'default'): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'flink-dispatch-local', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'developer', user: {} }],
    contexts: [
      { name: 'flink-dispatch-local', context: { cluster: 'flink-dispatch-local', user: 'developer', namespace } },
    ],
    'current-context': 'flink-dispatch-local',
  });
}
