import type { V1Service } from '@kubernetes/client-node';
import { FLINK } from '../options/flink.ts';
import { fixedPort, type Plan } from '../native/deployment-plan.ts';
import { commonLabels, jobManagerSelectors } from '../native/labels.ts';
import { QUERY_PORT } from './options.ts';

/** How TaskManagers, clients and people reach the JobManager. */
export function jobManagerService({ configuration, clusterId, namespace }: Plan): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: clusterId, namespace, labels: commonLabels(clusterId) },
    spec: {
      type: 'ClusterIP',
      ports: [
        { name: 'rpc', port: configuration.get(FLINK.jobManagerPort) },
        { name: 'blob', port: fixedPort(configuration, FLINK.blobPort) },
        { name: 'query', port: QUERY_PORT },
        { name: 'ui', port: fixedPort(configuration, FLINK.restBindPort) },
      ],
      selector: jobManagerSelectors(clusterId),
    },
  };
}
