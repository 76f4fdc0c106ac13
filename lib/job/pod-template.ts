import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { isRecord } from '../core/json.ts';
import type { ComponentSpec, JobSpec } from './spec.ts';

const MAIN_CONTAINER = 'flink-main-container';

/**
 * The JobManager's and the TaskManager's templates: the common one under the component's own, as the Flink Kubernetes
 * operator merges them (maps key by key, lists entry by entry by position), because Flink itself reads only one.
 */
export function podTemplatesOf(spec: JobSpec): { jobManager?: V1PodTemplateSpec; taskManager?: V1PodTemplateSpec } {
  const jobManager = templateOf(spec.podTemplate, spec.jobManager);
  const taskManager = templateOf(spec.podTemplate, spec.taskManager);
  return { ...(jobManager && { jobManager }), ...(taskManager && { taskManager }) };
}

function templateOf(
  common: V1PodTemplateSpec | undefined,
  component: ComponentSpec | undefined,
): V1PodTemplateSpec | undefined {
  const merged = mergeByPosition(common, component?.podTemplate) as V1PodTemplateSpec | undefined;
  return withResources(merged, component);
}

function mergeByPosition(below: unknown, above: unknown): unknown {
  if (above === undefined || below === undefined) return above ?? below;
  if (Array.isArray(below) && Array.isArray(above)) {
    const entries = Array.from({ length: Math.max(below.length, above.length) }, (_, i): unknown => i);
    return entries.map((_, i) => (i in above ? mergeByPosition(below[i], above[i]) : (below[i] as unknown)));
  }
  if (!isRecord(below) || !isRecord(above)) return above;
  const merged = Object.entries(above).map(([key, value]) => [key, mergeByPosition(below[key], value)] as const);
  return { ...below, ...Object.fromEntries(merged) };
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
  const amounts: Amounts = storage === undefined ? {} : { 'ephemeral-storage': storage };
  return { requests: amounts, limits: amounts };
}

function withoutCore(amounts: Amounts): Amounts {
  return Object.fromEntries(Object.entries(amounts).filter(([name]) => name !== 'cpu' && name !== 'memory'));
}
