import { defined } from '../../lib/core/defined.ts';
import type { LocalCluster } from './cluster.ts';

type ClusterFacts = Pick<
  LocalCluster,
  'kubeconfig' | 'context' | 'namespace' | 'image' | 'serviceAccount' | 'flinkVersion'
>;

/** The deployment's configuration for one local cluster: it allows whatever its only user asks for. */
export function deploymentConfig(
  { kubeconfig, context, namespace, image, serviceAccount, flinkVersion }: ClusterFacts,
  targets: Readonly<Record<string, object>> = {},
): object {
  const target = {
    namespace,
    access: { kind: 'kubeconfig', path: kubeconfig, context },
    rest: { kind: 'service-proxy' },
    jarDelivery: { kind: 'fetch', urlTtl: '1h' },
  };
  const others = Object.entries(targets).map(([name, differs]) => [name, { ...target, ...differs }]);
  return {
    targets: { default: target, ...(Object.fromEntries(others) as object) },
    defaults: {
      image,
      flinkVersion,
      ...defined({ serviceAccount }),
      jobManager: { resource: { cpu: 0.5, memory: '1g' } },
      taskManager: { resource: { cpu: 0.5, memory: '1g' } },
      deadlines: { start: '5m' },
    },
    sessions: { warm: { idleAfter: '5m' } },
    allow: {
      images: ['**'],
      serviceAccounts: ['**'],
      jarBuckets: ['**'],
      options: { allow: ['**'] },
      podTemplates: 'any',
      notify: ['**'],
      taskTokens: true,
    },
  };
}
