import type { V1Container, V1PodSpec } from '@kubernetes/client-node';
import type { AllowList } from '../config/dispatch-config.ts';
import { parseQuantity } from '../spec/quantity.ts';
import { show } from './rules.ts';

/** Of one pod; what the configuration does not name may not be asked for. */
export function mostOf(resource: string, { maxResources }: AllowList): number {
  if (resource === 'cpu' || resource === 'memory') return maxResources[resource];
  return Object.hasOwn(maxResources.others, resource) ? (maxResources.others[resource] ?? 0) : 0;
}

/** Amounts by resource: the larger of request and limit. One that cannot be read is without bound. */
function amountsOf({ resources }: Pick<V1Container, 'resources'>): ReadonlyMap<string, number> {
  const amounts = new Map<string, number>();
  for (const map of [resources?.requests, resources?.limits]) {
    for (const [name, text] of Object.entries(map ?? {})) {
      const amount = parseQuantity(show(text)) ?? Infinity;
      amounts.set(name, Math.max(amounts.get(name) ?? 0, amount));
    }
  }
  return amounts;
}

/**
 * What a pod takes at most, as Kubernetes' scheduler counts it: all its containers and the init containers that stay,
 * or an init container that runs alone beside those before it, whichever is more. `of` says what counts of a container.
 */
export function podAmounts(
  { containers = [], initContainers = [] }: Partial<V1PodSpec>,
  of: (container: V1Container) => ReadonlyMap<string, number> = amountsOf,
): ReadonlyMap<string, number> {
  let staying = new Map<string, number>();
  let most = new Map<string, number>();
  for (const one of initContainers) {
    const together = sum(staying, of(one));
    most = larger(most, together);
    if (one.restartPolicy === 'Always') staying = together;
  }
  return larger(
    most,
    containers.reduce<Map<string, number>>((all, one) => sum(all, of(one)), staying),
  );
}

function sum(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Map<string, number> {
  return combined(a, b, (x, y) => x + y);
}

function larger(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Map<string, number> {
  return combined(a, b, Math.max);
}

function combined(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
  one: (x: number, y: number) => number,
): Map<string, number> {
  const names = new Set([...a.keys(), ...b.keys()]);
  return new Map([...names].map((name) => [name, one(a.get(name) ?? 0, b.get(name) ?? 0)]));
}
