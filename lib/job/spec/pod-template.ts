import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { defined } from '../../core/defined.ts';
import { isRecord } from '../../core/json.ts';
import type { ComponentSpec, JobSpec } from './spec.ts';

const MAIN_CONTAINER = 'flink-main-container';

/**
 * The JobManager's and the TaskManager's templates: the common one under the component's own, because Flink itself reads
 * only one. Of their metadata only labels and annotations are a pod's to have from a template.
 */
export function podTemplatesOf(spec: JobSpec): { jobManager?: V1PodTemplateSpec; taskManager?: V1PodTemplateSpec } {
  const jobManager = templateOf(spec.podTemplate, spec.jobManager);
  const taskManager = templateOf(spec.podTemplate, spec.taskManager);
  return defined({ jobManager, taskManager });
}

function templateOf(
  common: V1PodTemplateSpec | undefined,
  component: ComponentSpec | undefined,
): V1PodTemplateSpec | undefined {
  const merged = mergePodTemplates(common, component?.podTemplate) as V1PodTemplateSpec | undefined;
  return withResources(merged && withoutIdentity(merged), component);
}

function withoutIdentity({ metadata, ...template }: V1PodTemplateSpec): V1PodTemplateSpec {
  const { labels, annotations } = metadata ?? {};
  if (labels === undefined && annotations === undefined) return template;
  return { metadata: { ...(labels && { labels }), ...(annotations && { annotations }) }, ...template };
}

/** By which an entry of a list is known. An entry with the same one replaces it; a container of that name merges. */
const KEY_OF: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  imagePullSecrets: 'name',
  volumeMounts: 'mountPath',
  ports: 'containerPort',
  hostAliases: 'ip',
};
const MERGED = new Set(['containers', 'initContainers']);

/**
 * Two pod templates as one: maps key by key, containers by name, other lists of things with a name entry by entry, and
 * all else from the second. By position, an entry of one author could come into a container of another's.
 */
export function mergePodTemplates(below: unknown, above: unknown, name = ''): unknown {
  if (above === undefined || below === undefined) return above ?? below;
  if (Array.isArray(below) && Array.isArray(above)) return mergeLists(below, above, name);
  if (!isRecord(below) || !isRecord(above)) return above;
  const merged = Object.entries(above).map(([key, value]) => [key, mergePodTemplates(below[key], value, key)] as const);
  return { ...below, ...Object.fromEntries(merged) };
}

function mergeLists(below: readonly unknown[], above: readonly unknown[], name: string): readonly unknown[] {
  const key = Object.hasOwn(KEY_OF, name) ? KEY_OF[name] : undefined;
  if (key === undefined) return above;
  const entries = [...below];
  for (const entry of above) {
    const known = isRecord(entry) ? entry[key] : undefined;
    const at = known === undefined ? -1 : entries.findIndex((other) => isRecord(other) && other[key] === known);
    if (at === -1) entries.push(entry);
    else entries[at] = MERGED.has(name) ? mergePodTemplates(entries[at], entry) : entry;
  }
  return entries;
}

/** Cpu and memory are Flink's own options; any other resource goes to the main container. */
function withResources(
  template: V1PodTemplateSpec | undefined,
  component: ComponentSpec | undefined,
): V1PodTemplateSpec | undefined {
  const { requests, limits } = otherResources(component);
  if (Object.keys(requests).length + Object.keys(limits).length === 0) return template;
  const containers = template?.spec?.containers ?? [];
  const main = containers.find((container) => container.name === MAIN_CONTAINER) ?? { name: MAIN_CONTAINER };
  const resources = {
    ...main.resources,
    requests: { ...main.resources?.requests, ...requests },
    limits: { ...main.resources?.limits, ...limits },
  };
  const rest = containers.filter((container) => container.name !== MAIN_CONTAINER);
  return { ...template, spec: { ...template?.spec, containers: [{ ...main, resources }, ...rest] } };
}

type Amounts = Record<string, string>;

function otherResources(component: ComponentSpec | undefined): { requests: Amounts; limits: Amounts } {
  if (component?.resources !== undefined) {
    const { requests = {}, limits = {} } = component.resources;
    return { requests: withoutCore(requests), limits: withoutCore(limits) };
  }
  const storage = component?.resource?.ephemeralStorage;
  const amounts: Amounts = defined({ 'ephemeral-storage': storage });
  return { requests: amounts, limits: amounts };
}

function withoutCore(amounts: Amounts): Amounts {
  return Object.fromEntries(Object.entries(amounts).filter(([name]) => name !== 'cpu' && name !== 'memory'));
}
