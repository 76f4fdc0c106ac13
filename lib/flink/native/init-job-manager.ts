import type { V1ContainerPort } from '@kubernetes/client-node';
import type { FlinkConfiguration } from '../config/configuration.ts';
import { FLINK, MASTER_ENV_PREFIX } from '../options/flink.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import type { Decorator } from './decorator.ts';
import { fixedPort, type Plan } from './deployment-plan.ts';
import { initPod, record } from './init-pod.ts';
import { jobManagerSelectors } from './labels.ts';

/** The options of a JobManager's pod, native or standalone. */
export const JOB_MANAGER_OPTIONS = {
  serviceAccount: K.jobManagerServiceAccount,
  cpuLimitFactor: K.jobManagerCpuLimitFactor,
  memoryLimitFactor: K.jobManagerMemoryLimitFactor,
  annotations: K.jobManagerAnnotations,
  nodeSelector: K.jobManagerNodeSelector,
  tolerations: K.jobManagerTolerations,
} as const;

/** InitJobManagerDecorator. */
export const initJobManager: Decorator = {
  decorate(pod, plan) {
    const { configuration } = plan;
    return initPod(pod, plan, {
      labels: jobManagerLabels(plan),
      cpu: configuration.get(K.jobManagerCpu),
      memory: plan.jobManagerMemory,
      ports: ports(configuration),
      envPrefix: MASTER_ENV_PREFIX,
      options: JOB_MANAGER_OPTIONS,
    });
  },
};

/** KubernetesJobManagerParameters.getLabels: the selectors win over the user's labels. */
export function jobManagerLabels({ configuration, clusterId }: Plan): Record<string, string> {
  return { ...record(configuration.getOptional(K.jobManagerLabels)), ...jobManagerSelectors(clusterId) };
}

function ports(configuration: FlinkConfiguration): V1ContainerPort[] {
  return [
    { name: 'rest', containerPort: configuration.get(FLINK.restPort) },
    { name: 'jobmanager-rpc', containerPort: configuration.get(FLINK.jobManagerPort) },
    { name: 'blobserver', containerPort: fixedPort(configuration, FLINK.blobPort) },
  ];
}
