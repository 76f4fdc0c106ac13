import type {
  V1Container,
  V1ContainerPort,
  V1EnvVar,
  V1ResourceRequirements,
  V1Toleration,
} from '@kubernetes/client-node';
import { DispatchError } from '../../core/errors.ts';
import { convertToString, javaDouble } from '../config/values.ts';
import type { FlinkConfiguration } from '../config/configuration.ts';
import type { JavaHashMap } from '../config/java-map.ts';
import { FLINK, MASTER_ENV_PREFIX } from '../options/flink.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import type { DefaultedOption, Option } from '../options/option.ts';
import type { Decorator } from './decorator.ts';
import { fixedPort, notBlank, type Plan } from './deployment-plan.ts';
import { addToPod, append, MAIN_CONTAINER, mapOf, type FlinkPod } from './flink-pod.ts';
import { jobManagerSelectors } from './labels.ts';

const ARTIFACTS_VOLUME = 'user-artifacts-volume';

/** InitJobManagerDecorator: account, DNS, image, resources, ports, environment, placement. */
export const initJobManager: Decorator = {
  decorate(pod, plan) {
    const { configuration } = plan;
    return addToPod(
      { metadata: metadata(pod, plan), spec: spec(pod, configuration), main: main(pod.main, plan) },
      {
        volumes: [{ name: ARTIFACTS_VOLUME, emptyDir: {} }],
        mounts: [{ name: ARTIFACTS_VOLUME, mountPath: configuration.get(FLINK.artifactsDir) }],
        env: environment(configuration),
      },
    );
  },
};

/** KubernetesJobManagerParameters.getLabels: the selectors win over the user's labels. */
export function jobManagerLabels({ configuration, clusterId }: Plan): Record<string, string> {
  return { ...record(configuration.getOptional(K.jobManagerLabels)), ...jobManagerSelectors(clusterId) };
}

export function record(map: JavaHashMap<string> | undefined): Record<string, string> {
  return Object.fromEntries(map?.entries() ?? []);
}

function metadata(pod: FlinkPod, plan: Plan): FlinkPod['metadata'] {
  const { labels, annotations, ...others } = pod.metadata;
  return {
    ...others,
    labels: { ...labels, ...jobManagerLabels(plan) },
    ...mapOf('annotations', { ...annotations, ...record(plan.configuration.getOptional(K.jobManagerAnnotations)) }),
  };
}

function spec(pod: FlinkPod, configuration: FlinkConfiguration): FlinkPod['spec'] {
  const template = { ...pod.spec };
  // the option decides, whatever the template says
  delete template.hostNetwork;
  const serviceAccount = userDefined(
    configuration,
    K.jobManagerServiceAccount,
    configuration.get(K.jobManagerServiceAccount),
    template.serviceAccount ?? template.serviceAccountName,
  );
  const hostNetwork = configuration.get(K.hostNetwork);
  const pullSecrets = (configuration.getOptional(K.imagePullSecrets) ?? []).map((name) => name.trim()).filter(Boolean);
  return {
    ...template,
    serviceAccount,
    serviceAccountName: serviceAccount,
    ...(hostNetwork && { hostNetwork }),
    dnsPolicy: dnsPolicy(template.dnsPolicy, hostNetwork),
    ...append(
      'imagePullSecrets',
      template.imagePullSecrets,
      pullSecrets.map((name) => ({ name })),
    ),
    ...mapOf('nodeSelector', {
      ...template.nodeSelector,
      ...record(configuration.getOptional(K.jobManagerNodeSelector)),
    }),
    ...append(
      'tolerations',
      template.tolerations,
      (configuration.getOptional(K.jobManagerTolerations) ?? []).map((map) => toleration(map)),
    ),
  };
}

/** KubernetesUtils.resolveUserDefinedValue: an option that is set, else the pod template, else the option's default. */
function userDefined(
  configuration: FlinkConfiguration,
  option: Option<unknown>,
  value: string,
  ofTemplate: string | undefined,
): string {
  return ofTemplate === undefined || configuration.contains(option) ? value : ofTemplate;
}

/** KubernetesUtils.resolveDNSPolicy. */
function dnsPolicy(ofTemplate: string | undefined, hostNetwork: boolean): string {
  if (hostNetwork) return 'ClusterFirstWithHostNet';
  return ofTemplate === undefined || ofTemplate.trim() === '' ? 'ClusterFirst' : ofTemplate;
}

/** KubernetesToleration.fromMap: names in any case, unknown ones ignored. */
function toleration(map: JavaHashMap<string>): V1Toleration {
  const result: V1Toleration = {};
  for (const [name, value] of map.entries()) {
    const field = (['effect', 'key', 'operator', 'value'] as const).find((known) => known === name.toLowerCase());
    if (field !== undefined) result[field] = value;
    if (name.toLowerCase() === 'tolerationseconds') result.tolerationSeconds = seconds(value);
  }
  return result;
}

function seconds(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new DispatchError(
    'InvalidConfiguration',
    `${K.jobManagerTolerations.key}: tolerationSeconds '${text}' is no number`,
    {
      field: K.jobManagerTolerations.key,
    },
  );
}

function main(template: Partial<V1Container>, plan: Plan): Partial<V1Container> {
  const { configuration } = plan;
  const image = configuration.getOptional(K.image) ?? defaultImage(plan.rules.version);
  return {
    ...template,
    name: MAIN_CONTAINER,
    image: userDefined(configuration, K.image, notBlank(image, K.image.key), template.image),
    imagePullPolicy: userDefined(
      configuration,
      K.imagePullPolicy,
      configuration.get(K.imagePullPolicy),
      template.imagePullPolicy,
    ),
    resources: resources(template.resources, plan),
    ...append('ports', template.ports, ports(configuration)),
  };
}

/** KubernetesConfigOptions.getDefaultFlinkImage. */
function defaultImage(version: string): string {
  return `apache/flink:${version}-scala_2.12`;
}

/** KubernetesUtils.getResourceRequirements: cpu and memory replace the template's, other resources stay. */
function resources(template: V1ResourceRequirements | undefined, plan: Plan): V1ResourceRequirements {
  const { configuration, jobManagerMemory } = plan;
  const cpu = configuration.get(K.jobManagerCpu);
  const memoryLimit = Math.trunc(jobManagerMemory * limitFactor(configuration, K.jobManagerMemoryLimitFactor));
  return {
    ...template,
    requests: { ...quantities(template?.requests), memory: `${jobManagerMemory}Mi`, cpu: javaDouble(cpu) },
    limits: {
      ...quantities(template?.limits),
      memory: `${memoryLimit}Mi`,
      cpu: javaDouble(cpu * limitFactor(configuration, K.jobManagerCpuLimitFactor)),
    },
  };
}

function quantities(map: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(map ?? {}).map(([name, value]) => [name, convertToString(value, false)]));
}

function limitFactor(configuration: FlinkConfiguration, option: DefaultedOption<number>): number {
  const factor = configuration.get(option);
  if (factor >= 1) return factor;
  throw new DispatchError('InvalidConfiguration', `${option.key} '${factor}' must be 1 or more`, { field: option.key });
}

function ports(configuration: FlinkConfiguration): V1ContainerPort[] {
  if (configuration.get(K.hostNetwork)) return [];
  return [
    { name: 'rest', containerPort: configuration.get(FLINK.restPort) },
    { name: 'jobmanager-rpc', containerPort: configuration.get(FLINK.jobManagerPort) },
    { name: 'blobserver', containerPort: fixedPort(configuration, FLINK.blobPort) },
  ];
}

function environment(configuration: FlinkConfiguration): V1EnvVar[] {
  const logDir = configuration.getOptional(K.logDir);
  return [
    ...configuration
      .withPrefix(MASTER_ENV_PREFIX)
      .entries()
      .map(([name, value]) => ({ name, value })),
    { name: '_POD_IP_ADDRESS', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
    ...(logDir === undefined ? [] : [{ name: 'FLINK_LOG_DIR', value: logDir }]),
  ];
}
