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
import { FLINK } from '../options/flink.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import type { DefaultedOption, Option } from '../options/option.ts';
import { notBlank, type Plan } from './deployment-plan.ts';
import { addToPod, append, MAIN_CONTAINER, mapOf, type FlinkPod } from './flink-pod.ts';

const ARTIFACTS_VOLUME = 'user-artifacts-volume';

/** Where the pods of the JobManager and of the TaskManagers differ. */
export interface PodPart {
  readonly labels: Readonly<Record<string, string>>;
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
  readonly ports: readonly V1ContainerPort[];
  /** `containerized.master.env.`. */
  readonly envPrefix: string;
  readonly options: {
    readonly serviceAccount: DefaultedOption<string>;
    readonly cpuLimitFactor: DefaultedOption<number>;
    readonly memoryLimitFactor: DefaultedOption<number>;
    readonly annotations: Option<JavaHashMap<string>>;
    readonly nodeSelector: Option<JavaHashMap<string>>;
    readonly tolerations: Option<readonly JavaHashMap<string>[]>;
  };
}

/** Account, DNS, image, resources, ports, environment, placement. */
export function initPod(pod: FlinkPod, plan: Plan, part: PodPart): FlinkPod {
  const { configuration } = plan;
  return addToPod(
    { metadata: metadata(pod, plan, part), spec: spec(pod, configuration, part), main: main(pod.main, plan, part) },
    {
      volumes: [{ name: ARTIFACTS_VOLUME, emptyDir: {} }],
      mounts: [{ name: ARTIFACTS_VOLUME, mountPath: configuration.get(FLINK.artifactsDir) }],
      env: environment(configuration, part),
    },
  );
}

export function record(map: JavaHashMap<string> | undefined): Record<string, string> {
  return Object.fromEntries(map?.entries() ?? []);
}

function metadata(pod: FlinkPod, plan: Plan, part: PodPart): FlinkPod['metadata'] {
  const { labels, annotations, ...others } = pod.metadata;
  return {
    ...others,
    labels: { ...labels, ...part.labels },
    ...mapOf('annotations', { ...annotations, ...record(plan.configuration.getOptional(part.options.annotations)) }),
  };
}

function spec(pod: FlinkPod, configuration: FlinkConfiguration, { options }: PodPart): FlinkPod['spec'] {
  const template = { ...pod.spec };
  // the option decides, whatever the template says
  delete template.hostNetwork;
  const serviceAccount = userDefined(
    configuration,
    options.serviceAccount,
    configuration.get(options.serviceAccount),
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
      ...record(configuration.getOptional(options.nodeSelector)),
    }),
    ...append(
      'tolerations',
      template.tolerations,
      (configuration.getOptional(options.tolerations) ?? []).map((map) => toleration(map, options.tolerations.key)),
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
function toleration(map: JavaHashMap<string>, key: string): V1Toleration {
  const result: V1Toleration = {};
  for (const [name, value] of map.entries()) {
    const field = (['effect', 'key', 'operator', 'value'] as const).find((known) => known === name.toLowerCase());
    if (field !== undefined) result[field] = value;
    if (name.toLowerCase() === 'tolerationseconds') result.tolerationSeconds = seconds(value, key);
  }
  return result;
}

function seconds(text: string, key: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new DispatchError('InvalidConfiguration', `${key}: tolerationSeconds '${text}' is no number`, { field: key });
}

function main(template: Partial<V1Container>, plan: Plan, part: PodPart): Partial<V1Container> {
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
    resources: resources(template.resources, plan.configuration, part),
    ...append('ports', template.ports, configuration.get(K.hostNetwork) ? [] : part.ports),
  };
}

/** KubernetesConfigOptions.getDefaultFlinkImage. */
function defaultImage(version: string): string {
  return `apache/flink:${version}-scala_2.12`;
}

/** KubernetesUtils.getResourceRequirements: cpu and memory replace the template's, other resources stay. */
function resources(
  template: V1ResourceRequirements | undefined,
  configuration: FlinkConfiguration,
  { cpu, memory, options }: PodPart,
): V1ResourceRequirements {
  const memoryLimit = Math.trunc(memory * limitFactor(configuration, options.memoryLimitFactor));
  return {
    ...template,
    requests: { ...quantities(template?.requests), memory: `${memory}Mi`, cpu: javaDouble(cpu) },
    limits: {
      ...quantities(template?.limits),
      memory: `${memoryLimit}Mi`,
      cpu: javaDouble(cpu * limitFactor(configuration, options.cpuLimitFactor)),
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

function environment(configuration: FlinkConfiguration, { envPrefix }: PodPart): V1EnvVar[] {
  const logDir = configuration.getOptional(K.logDir);
  return [
    ...configuration
      .withPrefix(envPrefix)
      .entries()
      .map(([name, value]) => ({ name, value })),
    { name: '_POD_IP_ADDRESS', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
    ...(logDir === undefined ? [] : [{ name: 'FLINK_LOG_DIR', value: logDir }]),
  ];
}
