import type {
  V1Container,
  V1EnvVar,
  V1ObjectMeta,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Volume,
  V1VolumeMount,
} from '@kubernetes/client-node';

export const MAIN_CONTAINER = 'flink-main-container';

/** org.apache.flink.kubernetes.kubeclient.FlinkPod: the main container is put last when the pod is complete. */
export interface FlinkPod {
  readonly metadata: V1ObjectMeta;
  /** Without the main container. */
  readonly spec: V1PodSpec;
  readonly main: Partial<V1Container>;
}

/** What a decorator appends; lists grow at their end, as fabric8's builders do. */
export interface PodAdditions {
  readonly env?: readonly V1EnvVar[];
  readonly mounts?: readonly V1VolumeMount[];
  readonly volumes?: readonly V1Volume[];
}

export function addToPod(pod: FlinkPod, { env = [], mounts = [], volumes = [] }: PodAdditions): FlinkPod {
  return {
    ...pod,
    spec: { ...pod.spec, ...append('volumes', pod.spec.volumes, volumes) },
    main: {
      ...pod.main,
      ...append('env', pod.main.env, env),
      ...append('volumeMounts', pod.main.volumeMounts, mounts),
    },
  };
}

/** The list under its name, or nothing where it stays empty: empty lists are not sent. */
export function append<Name extends string, T>(
  name: Name,
  before: readonly T[] | undefined,
  more: readonly T[],
): Partial<Record<Name, T[]>> {
  const all = [...(before ?? []), ...more];
  return all.length === 0 ? {} : ({ [name]: all } as Record<Name, T[]>);
}

/** A map under its name, or nothing where it is empty. */
export function mapOf<Name extends string>(
  name: Name,
  entries: Readonly<Record<string, string>>,
): Partial<Record<Name, Record<string, string>>> {
  return Object.keys(entries).length === 0 ? {} : ({ [name]: { ...entries } } as Record<Name, Record<string, string>>);
}

/** KubernetesUtils.loadPodFromTemplateFile: the container of Flink's name is the main one, others stay before it. */
export function podFromTemplate(template: V1PodTemplateSpec | undefined): FlinkPod {
  const { containers = [], ...spec } = (template?.spec ?? {}) as Partial<V1PodSpec>;
  return {
    metadata: template?.metadata ?? {},
    spec: { ...spec, containers: containers.filter(({ name }) => name !== MAIN_CONTAINER) },
    main: containers.find(({ name }) => name === MAIN_CONTAINER) ?? {},
  };
}
