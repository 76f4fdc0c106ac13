import type { V1Container, V1Deployment } from '@kubernetes/client-node';
import { FLINK } from '../options/flink.ts';
import { TASK_MANAGER as T, TASK_MANAGER_ENV_PREFIX } from '../options/task-manager.ts';
import { taskManagerMebibytes } from '../memory/task-manager.ts';
import { componentTemplate } from '../native/config-maps.ts';
import { fixedPort, type Plan } from '../native/deployment-plan.ts';
import { podFromTemplate, type FlinkPod } from '../native/flink-pod.ts';
import { initPod, record } from '../native/init-pod.ts';
import { taskManagerSelectors } from '../native/labels.ts';
import { taskManagerCpu } from '../native/task-manager-pod.ts';
import { complete } from './decorate.ts';
import { QUERY_PORT, TASK_MANAGER_DATA_PORT } from './options.ts';

/** As many TaskManagers as are asked for; Kubernetes replaces one that dies. */
export function taskManagerDeployment(plan: Plan, count: number): V1Deployment {
  const { clusterId, namespace } = plan;
  const pod = taskManagerPod(plan);
  const labels = taskManagerSelectors(clusterId);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: taskManagerDeploymentName(clusterId), namespace, labels },
    spec: {
      replicas: count,
      selector: { matchLabels: labels },
      template: {
        metadata: pod.metadata,
        spec: { ...pod.spec, containers: [...pod.spec.containers, pod.main as V1Container] },
      },
    },
  };
}

export function taskManagerDeploymentName(clusterId: string): string {
  return `${clusterId}-taskmanager`;
}

function taskManagerPod(plan: Plan): FlinkPod {
  const { configuration, clusterId, rules } = plan;
  const pod = initPod(podFromTemplate(componentTemplate(plan, 'taskManager')), plan, {
    labels: { ...record(configuration.getOptional(T.labels)), ...taskManagerSelectors(clusterId) },
    cpu: taskManagerCpu(configuration),
    memory: taskManagerMebibytes(configuration, rules),
    ports: [
      { name: 'data', containerPort: configuration.get(TASK_MANAGER_DATA_PORT) },
      { name: 'rpc', containerPort: fixedPort(configuration, FLINK.taskManagerRpcPort) },
      { name: 'query', containerPort: QUERY_PORT },
    ],
    envPrefix: TASK_MANAGER_ENV_PREFIX,
    options: T,
  });
  return complete(pod, plan, ['taskmanager']);
}
