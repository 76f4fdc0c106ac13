import type { V1Container, V1Deployment, V1ObjectMeta } from '@kubernetes/client-node';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import type { Plan } from './deployment-plan.ts';
import { mapOf, type FlinkPod } from './flink-pod.ts';
import { jobManagerLabels } from './init-job-manager.ts';
import { record } from './init-pod.ts';
import { jobManagerSelectors } from './labels.ts';

/** KubernetesJobManagerFactory.createJobManagerDeployment. */
export function jobManagerDeployment(pod: FlinkPod, plan: Plan, replicas: number): V1Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: deploymentMetadata(plan),
    spec: {
      replicas,
      selector: { matchLabels: jobManagerSelectors(plan.clusterId) },
      template: {
        metadata: pod.metadata,
        spec: { ...pod.spec, containers: [...pod.spec.containers, pod.main as V1Container] },
      },
    },
  };
}

/** Of the JobManager's Deployment, native or standalone: by it a cluster is found. */
function deploymentMetadata(plan: Plan): V1ObjectMeta {
  const { configuration, clusterId, namespace, request } = plan;
  return {
    name: clusterId,
    namespace,
    labels: { ...request.marks?.labels, ...jobManagerLabels(plan) },
    ...mapOf('annotations', {
      ...record(configuration.getOptional(K.jobManagerAnnotations)),
      ...request.marks?.annotations,
    }),
  };
}
