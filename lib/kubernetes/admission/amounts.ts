import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import { isRecord } from '../../core/json.ts';
import { podAmounts } from '../../job/judge/amounts.ts';
import { parseQuantity } from '../../job/spec/quantity.ts';

/** What pods take of a quota: their number, cores and bytes. */
export const RESOURCES = ['pods', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'] as const;
export type Resource = (typeof RESOURCES)[number];
export type Amounts = Readonly<Record<Resource, number>>;

function amounts(of: (resource: Resource) => number): Amounts {
  const [pods, requestsCpu, requestsMemory, limitsCpu, limitsMemory] = RESOURCES;
  return {
    [pods]: of(pods),
    [requestsCpu]: of(requestsCpu),
    [requestsMemory]: of(requestsMemory),
    [limitsCpu]: of(limitsCpu),
    [limitsMemory]: of(limitsMemory),
  };
}

export function sum(all: readonly Amounts[]): Amounts {
  return amounts((resource) => all.reduce((total, one) => total + one[resource], 0));
}

export function larger(a: Amounts, b: Amounts): Amounts {
  return amounts((resource) => Math.max(a[resource], b[resource]));
}

export function times(count: number, one: Amounts): Amounts {
  return amounts((resource) => count * one[resource]);
}

/** What a quota counts of one pod. */
export function amountsOfPod(spec: Partial<V1PodSpec> | undefined): Amounts {
  const requests = podAmounts(spec ?? {}, requested);
  const limits = podAmounts(spec ?? {}, limited);
  return {
    pods: 1,
    'requests.cpu': requests.get('cpu') ?? 0,
    'requests.memory': requests.get('memory') ?? 0,
    'limits.cpu': limits.get('cpu') ?? 0,
    'limits.memory': limits.get('memory') ?? 0,
  };
}

/** Kubernetes takes a limit for a request that is not there. */
function requested({ resources }: Pick<V1Container, 'resources'>): ReadonlyMap<string, number> {
  return read({ ...resources?.limits, ...resources?.requests });
}

function limited({ resources }: Pick<V1Container, 'resources'>): ReadonlyMap<string, number> {
  return read(resources?.limits ?? {});
}

function read(quantities: Readonly<Record<string, string>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(quantities).map(([name, text]) => [name, parseQuantity(String(text)) ?? 0]));
}

/** `undefined` for what is no JSON of `Amounts`. */
export function parseAmounts(text: string): Amounts | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return undefined;
    const valid = RESOURCES.every((resource) => Number.isFinite(value[resource]) && Number(value[resource]) >= 0);
    return valid ? amounts((resource) => Number(value[resource])) : undefined;
  } catch {
    return undefined;
  }
}
