import type { V1Container, V1PodTemplateSpec, V1ResourceRequirements } from '@kubernetes/client-node';
import type { FlinkConfiguration } from '../config/configuration.ts';
import { taskManagerMebibytes } from '../memory/task-manager.ts';
import { FLINK, TASK_MANAGER_MEMORY } from '../options/flink.ts';
import { option } from '../options/option.ts';
import { EXTERNAL_RESOURCES, TASK_MANAGER as T, TASK_MANAGER_ENV_PREFIX } from '../options/task-manager.ts';
import { componentTemplate, flinkConf } from './config-maps.ts';
import type { Decorator } from './decorator.ts';
import { fixedPort, type Plan } from './deployment-plan.ts';
import { podFromTemplate, type FlinkPod } from './flink-pod.ts';
import { hadoopConf, kerberos } from './hadoop-kerberos.ts';
import { initPod, record } from './init-pod.ts';
import { taskManagerSelectors } from './labels.ts';
import { envSecrets, mountSecrets } from './secrets.ts';
import { volumeClaims } from './volume-claims.ts';

/** KubernetesTaskManagerFactory.buildTaskManagerKubernetesPod: in this order, the start command left out. */
const DECORATORS: readonly Decorator[] = [envSecrets, mountSecrets, volumeClaims, hadoopConf, kerberos, flinkConf];

/**
 * The pod that a native JobManager will make for each TaskManager, of the configuration and the pod template that it
 * finds in its own pod. Nobody here creates it: it is made to be looked at. Its name and the arguments of its start
 * command, which the JobManager draws, are not part of it.
 * @param plan with the configuration as the JobManager reads it
 */
export function nativeTaskManagerPod(plan: Plan): V1PodTemplateSpec {
  const { configuration, clusterId, rules } = plan;
  const init = initPod(podFromTemplate(componentTemplate(plan, 'taskManager')), plan, {
    labels: { ...record(configuration.getOptional(T.labels)), ...taskManagerSelectors(clusterId) },
    cpu: taskManagerCpu(configuration),
    memory: taskManagerMebibytes(configuration, rules),
    ports: [{ name: 'taskmanager-rpc', containerPort: fixedPort(configuration, FLINK.taskManagerRpcPort) }],
    envPrefix: TASK_MANAGER_ENV_PREFIX,
    options: T,
  });
  const pod = DECORATORS.reduce((before, { decorate }) => decorate?.(before, plan) ?? before, init);
  const { main, spec, metadata } = withExternalResources(pod, configuration);
  return {
    metadata,
    spec: {
      ...spec,
      restartPolicy: 'Never',
      containers: [...spec.containers, { ...main, command: [], args: [] } as unknown as V1Container],
    },
  };
}

/** KubernetesWorkerResourceSpecFactory: `taskmanager.cpu.cores`, else its own option, else a core for each slot. */
export function taskManagerCpu(configuration: FlinkConfiguration): number {
  const own = configuration.getOptional(T.cpu) ?? 0;
  return (
    configuration.getOptional(TASK_MANAGER_MEMORY.cpu) ?? (own > 0 ? own : configuration.get(TASK_MANAGER_MEMORY.slots))
  );
}

/** InitTaskManagerDecorator: an amount of `external-resource.<name>` under the name that Kubernetes has for it. */
function withExternalResources(pod: FlinkPod, configuration: FlinkConfiguration): FlinkPod {
  const names = configuration.getOptional(EXTERNAL_RESOURCES) ?? [];
  const amounts: Record<string, string> = {};
  for (const name of names) {
    const key = configuration.getOptional(option.string(`external-resource.${name}.kubernetes.config-key`)) ?? '';
    const amount = configuration.getOptional(option.string(`external-resource.${name}.amount`)) ?? '';
    if (key !== '' && amount !== '') amounts[key] = amount;
  }
  if (Object.keys(amounts).length === 0) return pod;
  const { requests, limits, ...others }: V1ResourceRequirements = pod.main.resources ?? {};
  const resources = { ...others, requests: { ...requests, ...amounts }, limits: { ...limits, ...amounts } };
  return { ...pod, main: { ...pod.main, resources } };
}
