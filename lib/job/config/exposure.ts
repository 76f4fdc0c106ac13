import type { TargetConfig } from './dispatch-config.ts';

/** Without a word on it, the REST Service is exposed just as far as the target's access needs. */
export function exposure(config: TargetConfig): Record<string, string> {
  const type = {
    'service-proxy': 'ClusterIP',
    'service-dns': 'ClusterIP',
    'node-port': 'NodePort',
    'load-balancer': 'LoadBalancer',
  } as const;
  return { 'kubernetes.rest-service.exposed.type': type[config.rest.kind] };
}
