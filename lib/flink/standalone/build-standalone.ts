import type { V1ConfigMap } from '@kubernetes/client-node';
import { DispatchError } from '../../core/errors.ts';
import type { ClusterRequest, FlinkCluster } from '../cluster.ts';
import { plainValue } from '../config/files.ts';
import type { FlinkConfiguration } from '../config/configuration.ts';
import { ownedByDeployment } from '../native/build-cluster.ts';
import { clusterSideConfiguration, flinkConf } from '../native/config-maps.ts';
import { planDeployment, type Plan } from '../native/deployment-plan.ts';
import { addToPod, type FlinkPod } from '../native/flink-pod.ts';
import { jobManagerDeployment } from '../native/job-manager-deployment.ts';
import { restService } from '../native/services.ts';
import { FLINK, TASK_MANAGER_MEMORY } from '../options/flink.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import { withRecommendedLabels } from '../recommended-labels.ts';
import { flinkRules } from '../version.ts';
import { jobManagerPod } from './job-manager.ts';
import { QUERY_PORT, QUERY_PROXY_PORTS, SHUTDOWN_ON_FINISH, TASK_MANAGER_DATA_PORT } from './options.ts';
import { jobManagerArgs, JARS, remoteJars } from './program.ts';
import { jobManagerService } from './service.ts';
import { taskManagerDeployment } from './task-managers.ts';

/** A cluster whose TaskManagers Kubernetes keeps, not Flink: `mode` is its flavour, application or session. */
export interface StandaloneRequest extends ClusterRequest {
  /** Default: as many as the parallelism needs. */
  readonly taskManagers?: number;
}

/** What only a native JobManager, or only the client, would read. */
const NATIVE_ONLY = [FLINK.target, FLINK.executionMode, K.entryPointClass];
/** In a standalone application these are arguments of its JobManager. */
const OF_ARGUMENTS = [FLINK.jars, FLINK.programArgs, FLINK.mainClass];

/**
 * The objects of Flink's "standalone on Kubernetes", for the options of a native cluster: a Deployment of the JobManager,
 * which owns all others, a Deployment of TaskManagers, the JobManager's Service, the REST Service and the ConfigMap, with
 * the names and labels by which native clusters are found.
 * @throws DispatchError as `buildCluster` does, and `InvalidConfiguration` for what a standalone cluster cannot do
 */
export function buildStandalone(request: StandaloneRequest): FlinkCluster {
  const plan = planDeployment(request, flinkRules(request.flinkVersion));
  const { configuration, clusterId, namespace } = plan;
  const taskManagers = numberOfTaskManagers(request, configuration);
  const args = jobManagerArgs(plan);
  const jars = request.mode === 'application' ? remoteJars(plan) : undefined;
  adapt(plan);
  const pod = withJars(jobManagerPod(plan, args), plan, jars);
  const dependents = [
    jobManagerService(plan),
    ...(restService.resources?.(plan) ?? []),
    ...(flinkConf.resources?.(plan) ?? []).map((map) =>
      jars === undefined ? map : { ...map, data: { ...dataOf(map), [JARS]: jars } },
    ),
    taskManagerDeployment(plan, taskManagers),
  ];
  return withRecommendedLabels({
    clusterId,
    namespace,
    deployment: jobManagerDeployment(pod, plan, replicas(plan)),
    dependents: dependents.map((object) => ownedByDeployment(object, clusterId)),
    configuration: plain(clusterSideConfiguration(configuration)),
  });
}

function withJars(pod: FlinkPod, { clusterId }: Plan, jars: string | undefined): FlinkPod {
  if (jars === undefined) return pod;
  const valueFrom = { configMapKeyRef: { name: `flink-config-${clusterId}`, key: JARS } };
  return addToPod(pod, { env: [{ name: JARS, valueFrom }] });
}

function dataOf(map: V1ConfigMap): Record<string, string> {
  return map.data ?? {};
}

function numberOfTaskManagers({ taskManagers, mode }: StandaloneRequest, configuration: FlinkConfiguration): number {
  if (taskManagers !== undefined) {
    if (Number.isInteger(taskManagers) && taskManagers >= 0) return taskManagers;
    throw new DispatchError('InvalidSpec', `${taskManagers} is no number of TaskManagers`, { field: 'taskManagers' });
  }
  const parallelism = mode === 'application' ? (configuration.getOptional(FLINK.parallelism) ?? 1) : 1;
  return Math.max(1, Math.ceil(parallelism / configuration.get(TASK_MANAGER_MEMORY.slots)));
}

/** The configuration that both components read. */
function adapt({ configuration, clusterId, namespace, highAvailability, request }: Plan): void {
  const { mode } = request;
  for (const one of [...NATIVE_ONLY, ...(mode === 'application' ? OF_ARGUMENTS : [])]) configuration.remove(one);
  // with high availability each JobManager has an address of its own
  if (!highAvailability) configuration.set(FLINK.jobManagerAddress, `${clusterId}.${namespace}`);
  configuration.set(TASK_MANAGER_DATA_PORT, String(configuration.get(TASK_MANAGER_DATA_PORT)));
  if (!configuration.contains(QUERY_PROXY_PORTS)) configuration.set(QUERY_PROXY_PORTS, String(QUERY_PORT));
  // A JobManager that ends is started again by its Deployment, and runs main() again.
  if (mode === 'application' && !configuration.contains(SHUTDOWN_ON_FINISH)) {
    configuration.set(SHUTDOWN_ON_FINISH, 'false');
  }
}

function replicas({ configuration }: Plan): number {
  const count = configuration.get(K.jobManagerReplicas);
  if (count === 1) return count;
  throw new DispatchError('InvalidConfiguration', `${K.jobManagerReplicas.key} '${count}' must be 1 when standalone`, {
    field: K.jobManagerReplicas.key,
  });
}

function plain(configuration: FlinkConfiguration): FlinkCluster['configuration'] {
  return Object.fromEntries(configuration.entries().map(([key, value]) => [key, plainValue(value)]));
}
