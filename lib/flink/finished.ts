import type { V1Deployment, V1PodTemplateSpec } from '@kubernetes/client-node';
import { DispatchError } from '../core/errors.ts';
import type { ClusterRequest, ConfFiles, FlinkCluster } from './cluster.ts';
import type { FlinkConfiguration } from './config/configuration.ts';
import { loadConfiguration } from './config/files.ts';
import { buildCluster } from './native/build-cluster.ts';
import { planDeployment } from './native/deployment-plan.ts';
import { nativeTaskManagerPod } from './native/task-manager-pod.ts';
import { TASK_MANAGER_MEMORY } from './options/flink.ts';
import { buildStandalone, type StandaloneRequest } from './standalone/build-standalone.ts';
import { taskManagerDeploymentName } from './standalone/task-managers.ts';
import { flinkRules } from './version.ts';

/** All that comes of a request: what is created, and what the JobManager will make of it. */
export interface FinishedCluster {
  readonly cluster: FlinkCluster;
  readonly jobManager: V1PodTemplateSpec;
  readonly taskManager: V1PodTemplateSpec;
  /** As the JobManager reads it from its ConfigMap. */
  readonly configuration: FlinkConfiguration;
  /** Of each TaskManager. */
  readonly slots: number;
  /** Of a standalone cluster; a native one has as many as its job needs. */
  readonly taskManagers?: number;
}

/**
 * Builds the cluster, and reads back from its objects what Flink will read there.
 * @throws DispatchError as `buildCluster` and `buildStandalone` do
 */
export function finishCluster(request: StandaloneRequest, kind: 'native' | 'standalone'): FinishedCluster {
  const cluster = kind === 'native' ? buildCluster(request) : buildStandalone(request);
  const configuration = loadConfiguration(filesOf(cluster, `flink-config-${cluster.clusterId}`), request.flinkVersion);
  const common = {
    cluster,
    jobManager: cluster.deployment.spec?.template ?? {},
    configuration,
    slots: configuration.get(TASK_MANAGER_MEMORY.slots),
  };
  if (kind === 'native') return { ...common, taskManager: ofJobManager(request, cluster, configuration) };
  const { spec } = findDeployment(cluster, taskManagerDeploymentName(cluster.clusterId));
  return { ...common, taskManager: spec?.template ?? {}, taskManagers: spec?.replicas ?? 1 };
}

function ofJobManager(
  request: ClusterRequest,
  cluster: FlinkCluster,
  configuration: FlinkConfiguration,
): V1PodTemplateSpec {
  const files = filesOf(cluster, `pod-template-${cluster.clusterId}`);
  const text = files['taskmanager-pod-template.yaml'];
  const inPod: ClusterRequest = {
    ...request,
    podTemplates: {},
    podTemplateTexts: text === undefined ? {} : { taskManager: text },
  };
  return nativeTaskManagerPod({ ...planDeployment(inPod, flinkRules(request.flinkVersion)), configuration });
}

function filesOf({ dependents }: FlinkCluster, name: string): ConfFiles {
  const map = dependents.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata?.name === name);
  return map !== undefined && 'data' in map ? (map.data as ConfFiles) : {};
}

function findDeployment({ dependents }: FlinkCluster, name: string): V1Deployment {
  const found = dependents.find(({ kind, metadata }) => kind === 'Deployment' && metadata?.name === name);
  if (found !== undefined) return found;
  throw new DispatchError('Internal', `the cluster has no Deployment ${name}`);
}
