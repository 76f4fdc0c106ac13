import { DispatchError } from '../../core/errors.ts';
import { parseClusterId, type ClusterId } from '../../core/ids.ts';
import type { ClusterRequest } from '../cluster.ts';
import type { FlinkConfiguration } from '../config/configuration.ts';
import { isHighlyAvailable } from '../config/high-availability.ts';
import { jobManagerMebibytes } from '../memory/job-manager.ts';
import { taskManagerMebibytes } from '../memory/task-manager.ts';
import { FLINK } from '../options/flink.ts';
import { KUBERNETES } from '../options/kubernetes.ts';
import type { DefaultedOption } from '../options/option.ts';
import type { FlinkRules } from '../version.ts';
import { effectiveConfiguration } from './effective.ts';

/** What every decorator is given. The configuration is still written to, in the decorators' order. */
export interface Plan {
  readonly request: ClusterRequest;
  readonly rules: FlinkRules;
  readonly configuration: FlinkConfiguration;
  readonly clusterId: ClusterId;
  readonly namespace: string;
  /** The JobManager's container, in MiB. */
  readonly jobManagerMemory: number;
  readonly highAvailability: boolean;
}

const BLOB_PORT = 6124;
const TASK_MANAGER_RPC_PORT = 6122;
const REST_PORT = 8081;

/**
 * KubernetesClusterDescriptor up to the point where objects are made: checks, and the keys that it sets itself.
 * @throws DispatchError `InvalidConfiguration`, `InvalidName`, `InvalidSpec`
 */
export function planDeployment(request: ClusterRequest, rules: FlinkRules): Plan {
  const configuration = effectiveConfiguration(request, rules);
  const clusterId = checkedClusterId(configuration);
  const jobManagerMemory = jobManagerMebibytes(configuration, rules);
  taskManagerMebibytes(configuration, rules);
  if (request.mode === 'application') checkJars(configuration, rules, request.program?.entryClass);
  const highAvailability = isHighlyAvailable(configuration);
  setInternalKeys(configuration, request, { clusterId, highAvailability });
  const namespace = notBlank(configuration.get(KUBERNETES.namespace), KUBERNETES.namespace.key);
  return { request, rules, configuration, clusterId, namespace, jobManagerMemory, highAvailability };
}

/** AbstractKubernetesParameters.getClusterId, and the rules of Kubernetes for the Services that carry the name. */
function checkedClusterId(configuration: FlinkConfiguration): ClusterId {
  const clusterId = configuration.getOptional(KUBERNETES.clusterId);
  if (clusterId !== undefined) return parseClusterId(clusterId);
  throw new DispatchError('InvalidName', `${KUBERNETES.clusterId.key} is not set`, { field: KUBERNETES.clusterId.key });
}

/** KubernetesClusterDescriptor.deployClusterInternal. */
function setInternalKeys(
  configuration: FlinkConfiguration,
  request: ClusterRequest,
  { clusterId, highAvailability }: Pick<Plan, 'clusterId' | 'highAvailability'>,
): void {
  const entrypoint =
    request.mode === 'session' ? 'KubernetesSessionClusterEntrypoint' : 'KubernetesApplicationClusterEntrypoint';
  configuration.set(FLINK.executionMode, 'NORMAL');
  configuration.set(KUBERNETES.entryPointClass, `org.apache.flink.kubernetes.entrypoint.${entrypoint}`);
  fixPort(configuration, FLINK.blobPort, BLOB_PORT);
  fixPort(configuration, FLINK.taskManagerRpcPort, TASK_MANAGER_RPC_PORT);
  fixPort(configuration, FLINK.restBindPort, REST_PORT);
  if (!highAvailability) return;
  configuration.set(FLINK.haClusterId, clusterId);
  fixPort(configuration, FLINK.haPort, configuration.get(FLINK.jobManagerPort));
}

/** KubernetesUtils.checkAndUpdatePortConfigOption: a Service needs a fixed port, so 0 is replaced. */
function fixPort(configuration: FlinkConfiguration, port: DefaultedOption<string>, instead: number): void {
  if (fixedPort(configuration, port) === 0) configuration.set(port, String(instead));
}

/** KubernetesUtils.parsePort: a single port, no range. @throws DispatchError `InvalidConfiguration` */
export function fixedPort(configuration: FlinkConfiguration, port: DefaultedOption<string>): number {
  const text = configuration.get(port);
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  const key = configuration.keyOf(port) ?? port.key;
  throw new DispatchError('InvalidConfiguration', `${key} '${text}' must be one fixed port, not a range`, {
    field: key,
  });
}

/** KubernetesClusterDescriptor.deployApplicationCluster and DefaultKubernetesArtifactUploader. */
function checkJars(configuration: FlinkConfiguration, rules: FlinkRules, entryClass: string | undefined): void {
  const jars = configuration.getOptional(FLINK.jars) ?? [];
  const args = configuration.getOptional(FLINK.programArgs) ?? [];
  const python =
    PYTHON_CLASSES.includes(entryClass ?? '') ||
    args.some((arg) => ['-py', '-pym', '--python', '--pyModule'].includes(arg));
  if (!python && (jars.length > 1 || (rules.jarRequired && jars.length === 0))) {
    throw new DispatchError(
      'InvalidSpec',
      `an application has one jar, not ${jars.length}; put others on its classpath`,
      {
        field: FLINK.jars.key,
      },
    );
  }
  if (rules.rank < 120 || !configuration.get(KUBERNETES.localUpload)) return;
  const local = [...jars, ...(configuration.getOptional(FLINK.artifactList) ?? [])].find((uri) =>
    uri.startsWith('local:'),
  );
  if (local === undefined) return;
  throw new DispatchError(
    'InvalidConfiguration',
    `${KUBERNETES.localUpload.key} 'true' asks to upload '${local}': upload it yourself and give its address`,
    { field: KUBERNETES.localUpload.key },
  );
}

const PYTHON_CLASSES = [
  'org.apache.flink.client.python.PythonDriver',
  'org.apache.flink.client.python.PythonGatewayServer',
];

/** @throws DispatchError `InvalidConfiguration` */
export function notBlank(value: string, key: string): string {
  if (value.trim() !== '') return value;
  throw new DispatchError('InvalidConfiguration', `${key} must not be blank`, { field: key });
}
