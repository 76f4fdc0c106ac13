import type { V1Container, V1EnvVar } from '@kubernetes/client-node';
import type { Pod } from '../objects.ts';
import { parseQuantity } from '../quantity.ts';
import { CONFIG_MAPS, SECRETS, type Resource } from '../resources.ts';
import type { Store } from '../store.ts';

/** A ConfigMap, a Secret or a key that a container needs is missing: `CreateContainerConfigError`. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError';
}

/** The value of a downward API field: `status.podIP`, `metadata.labels['app']`. */
export function fieldValue(pod: Pod, path: string): string {
  const mapped = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (mapped !== null) return pod.metadata[mapped[1] as 'labels' | 'annotations']?.[mapped[2] ?? ''] ?? '';
  const values: Record<string, string | undefined> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.nodeName': pod.spec.nodeName,
    'spec.serviceAccountName': pod.spec.serviceAccountName,
    'status.podIP': pod.status.podIP,
    'status.podIPs': pod.status.podIP,
    'status.hostIP': pod.status.hostIP,
  };
  return values[path] ?? '';
}

function resourceValue(container: V1Container, resource: string, divisor: unknown): string {
  const [part, name = ''] = resource.split('.');
  const amounts = part === 'limits' ? container.resources?.limits : container.resources?.requests;
  const amount = parseQuantity(amounts?.[name]) ?? 0;
  return String(Math.ceil(amount / (parseQuantity(divisor) || 1)));
}

interface Sources {
  readonly store: Store;
  readonly pod: Pod;
}

function dataOf({ store, pod }: Sources, resource: Resource, name: string, optional: boolean): Record<string, string> {
  const found = store.find(resource, pod.metadata.namespace, name);
  if (found === undefined && !optional) throw new ContainerConfigError(`${resource.singular} "${name}" not found`);
  const data = found?.data ?? {};
  if (resource === CONFIG_MAPS) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

function keyOf(
  sources: Sources,
  resource: Resource,
  reference: { name?: string; key: string; optional?: boolean },
): string | undefined {
  const { name = '', key, optional = false } = reference;
  const value = dataOf(sources, resource, name, optional)[key];
  if (value !== undefined || optional) return value;
  const where = `${resource.kind} ${sources.pod.metadata.namespace ?? ''}/${name}`;
  throw new ContainerConfigError(`couldn't find key ${key} in ${where}`);
}

function valueOf(sources: Sources, container: V1Container, { value, valueFrom }: V1EnvVar): string | undefined {
  if (valueFrom?.fieldRef !== undefined) return fieldValue(sources.pod, valueFrom.fieldRef.fieldPath);
  if (valueFrom?.secretKeyRef !== undefined) return keyOf(sources, SECRETS, valueFrom.secretKeyRef);
  if (valueFrom?.configMapKeyRef !== undefined) return keyOf(sources, CONFIG_MAPS, valueFrom.configMapKeyRef);
  const resource = valueFrom?.resourceFieldRef;
  if (resource !== undefined) return resourceValue(container, resource.resource, resource.divisor);
  return value ?? '';
}

/** `$(NAME)` becomes the variable's value when there is one; `$$(NAME)` stays as `$(NAME)`. */
export function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g, (all, name: string | undefined) =>
    all === '$$' ? '$' : (variables[name ?? ''] ?? all),
  );
}

/** A container's own variables. @throws ContainerConfigError */
export function containerEnvironment(store: Store, pod: Pod, container: V1Container): Record<string, string> {
  const sources = { store, pod };
  const result: Record<string, string> = {};
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data = {
      ...(configMapRef === undefined
        ? {}
        : dataOf(sources, CONFIG_MAPS, configMapRef.name ?? '', configMapRef.optional === true)),
      ...(secretRef === undefined ? {} : dataOf(sources, SECRETS, secretRef.name ?? '', secretRef.optional === true)),
    };
    for (const [key, value] of Object.entries(data)) result[`${prefix}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(sources, container, variable);
    if (value !== undefined) result[variable.name] = variable.valueFrom === undefined ? expand(value, result) : value;
  }
  return result;
}
