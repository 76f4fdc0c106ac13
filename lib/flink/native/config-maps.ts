import type { V1ConfigMap, V1KeyToPath, V1PodTemplateSpec, V1Volume } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { ClusterRequest, ConfFiles } from '../cluster.ts';
import { BUILT_IN_LOG_FILES } from '../config/built-in.ts';
import type { FlinkConfiguration } from '../config/configuration.ts';
import { configFileName, writeConfiguration } from '../config/files.ts';
import { FLINK } from '../options/flink.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import type { Option } from '../options/option.ts';
import type { FlinkRules } from '../version.ts';
import type { Decorator } from './decorator.ts';
import type { Plan } from './deployment-plan.ts';
import { addToPod } from './flink-pod.ts';
import { commonLabels } from './labels.ts';
import { asPodTemplate, readPodTemplate } from './pod-template.ts';

const CONFIG_VOLUME = 'flink-config-volume';
const TEMPLATE_VOLUME = 'pod-template-volume';
const TEMPLATE_FILE = 'taskmanager-pod-template.yaml';

/** FlinkConfMountDecorator: the configuration and the logging files of the conf folder. */
export const flinkConf: Decorator = {
  decorate(pod, plan) {
    const { configuration, clusterId } = plan;
    const names = [...Object.keys(logFiles(plan)), configFileName(configuration)];
    return addToPod(pod, {
      volumes: [configMapVolume(CONFIG_VOLUME, `flink-config-${clusterId}`, names.map(keyToPath))],
      mounts: [{ name: CONFIG_VOLUME, mountPath: configuration.get(K.confDir) }],
    });
  },
  resources(plan) {
    const clusterSide = clusterSideConfiguration(plan.configuration);
    const data = { ...logFiles(plan), [configFileName(clusterSide)]: writeConfiguration(clusterSide) };
    return [configMap(plan, `flink-config-${plan.clusterId}`, data)];
  },
};

/** What only the client needs, or what must not be bound to the client's machine (getClusterSideConfData). */
export function clusterSideConfiguration(configuration: FlinkConfiguration): FlinkConfiguration {
  const clusterSide = configuration.copy();
  const clientSide: readonly Option<unknown>[] = [
    K.configFile,
    FLINK.confDir,
    FLINK.restBindAddress,
    FLINK.jobManagerBindHost,
    FLINK.taskManagerBindHost,
    FLINK.taskManagerHost,
  ];
  for (const one of clientSide) clusterSide.remove(one);
  return clusterSide;
}

function logFiles({ request, rules }: Plan): ConfFiles {
  const own = request.logFiles ?? {};
  const unknown = Object.keys(own).find((name) => !rules.logFiles.includes(name));
  if (unknown !== undefined) throw noLogFile(unknown, rules);
  const files = { ...(request.conf ?? BUILT_IN_LOG_FILES), ...own };
  return Object.fromEntries(
    rules.logFiles.flatMap((name) => {
      const text = files[name];
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

function noLogFile(name: string, { version, logFiles: known }: FlinkRules): DispatchError {
  const field = `logConfiguration.${name}`;
  const message = `${field} is no logging file of Flink ${version}: it reads ${known.join(', ')}`;
  return new DispatchError('InvalidSpec', message, { field });
}

/** PodTemplateMountDecorator: the JobManager makes its TaskManagers' pods from this file. */
export const podTemplateMount: Decorator = {
  decorate(pod, { request, clusterId }) {
    if (taskManagerTemplate(request) === undefined) return pod;
    return addToPod(pod, {
      volumes: [configMapVolume(TEMPLATE_VOLUME, `pod-template-${clusterId}`, [keyToPath(TEMPLATE_FILE)])],
      mounts: [{ name: TEMPLATE_VOLUME, mountPath: '/opt/flink/pod-template' }],
    });
  },
  resources(plan) {
    const text = taskManagerTemplate(plan.request);
    return text === undefined ? [] : [configMap(plan, `pod-template-${plan.clusterId}`, { [TEMPLATE_FILE]: text })];
  },
};

/** The file's own text where there is one, so that the copy is exact. */
function taskManagerTemplate(request: ClusterRequest): string | undefined {
  const part = partOf(request, 'taskManager');
  if (part === undefined) return undefined;
  const { podTemplates = {}, podTemplateTexts = {} } = request;
  return (
    podTemplateTexts[part] ?? stringify({ apiVersion: 'v1', kind: 'Pod', ...asPodTemplate(podTemplates[part] ?? {}) })
  );
}

type TemplatePart = keyof NonNullable<ClusterRequest['podTemplates']>;

/** A component's own template, or the common one. */
function partOf(
  { podTemplates = {}, podTemplateTexts = {} }: ClusterRequest,
  own: TemplatePart,
): TemplatePart | undefined {
  return ([own, 'common'] as const).find(
    (part) => podTemplates[part] !== undefined || podTemplateTexts[part] !== undefined,
  );
}

/** The JobManager's own template, or the common one. @throws DispatchError for a file whose content is not given. */
export function jobManagerTemplate(plan: Plan): V1PodTemplateSpec | undefined {
  checkGiven(plan.configuration, K.taskManagerPodTemplate, partOf(plan.request, 'taskManager'));
  return componentTemplate(plan, 'jobManager');
}

/** A component's own template, or the common one, as an object. @throws DispatchError as above */
export function componentTemplate(
  { request, configuration }: Plan,
  component: 'jobManager' | 'taskManager',
): V1PodTemplateSpec | undefined {
  const { podTemplates = {}, podTemplateTexts = {} } = request;
  const option = K[`${component}PodTemplate`];
  const part = partOf(request, component);
  checkGiven(configuration, option, part);
  if (part === undefined) return undefined;
  const text = podTemplateTexts[part];
  const key = configuration.keyOf(option) ?? option.key;
  return text === undefined ? asPodTemplate(podTemplates[part] ?? {}) : readPodTemplate(text, key);
}

function checkGiven(configuration: FlinkConfiguration, option: Option<string>, content: unknown): void {
  const key = configuration.keyOf(option);
  if (key === undefined || content !== undefined) return;
  throw new DispatchError(
    'InvalidConfiguration',
    `${key} '${configuration.getOptional(option)}': the content of this pod template was not given`,
    { field: key },
  );
}

function keyToPath(key: string): V1KeyToPath {
  return { key, path: key };
}

export function configMapVolume(name: string, configMapName: string, items?: V1KeyToPath[]): V1Volume {
  return { name, configMap: { name: configMapName, ...defined({ items }) } };
}

function configMap({ clusterId, namespace }: Plan, name: string, data: Record<string, string>): V1ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: commonLabels(clusterId) },
    data,
  };
}
