import { forbidden, qualified } from './errors.ts';
import { isRecord, type KubeObject } from './objects.ts';
import { formatQuantity, parseQuantity } from './quantity.ts';
import { RESOURCES, RESOURCE_QUOTAS, type Resource } from './resources.ts';
import type { Store } from './store.ts';

const COUNTED = ['pods', 'services', 'configmaps', 'secrets', 'persistentvolumeclaims', 'resourcequotas'];
const COMPUTE = new Map([
  ['cpu', ['requests', 'cpu']],
  ['memory', ['requests', 'memory']],
  ['requests.cpu', ['requests', 'cpu']],
  ['requests.memory', ['requests', 'memory']],
  ['limits.cpu', ['limits', 'cpu']],
  ['limits.memory', ['limits', 'memory']],
]);

/** `pods`, `count/pods`, `count/deployments.apps`: which quota entries count objects of a resource. */
function countsOf(resource: Resource): string[] {
  const plain = resource.group === '' && COUNTED.includes(resource.plural) ? [resource.plural] : [];
  return [...plain, `count/${qualified(resource)}`];
}

function amounts(pod: KubeObject, part: string, name: string): (number | undefined)[] {
  const spec = isRecord(pod.spec) ? pod.spec : {};
  const containers = Array.isArray(spec['containers']) ? spec['containers'].filter(isRecord) : [];
  return containers.map((container) => {
    const resources = isRecord(container['resources']) ? container['resources'] : {};
    const amount = resources[part];
    return isRecord(amount) ? parseQuantity(amount[name]) : undefined;
  });
}

/** What one object takes of each quota entry. */
function usageOf(resource: Resource, object: KubeObject): Map<string, number> {
  const usage = new Map(countsOf(resource).map((name) => [name, 1]));
  if (resource.plural !== 'pods') return usage;
  for (const [entry, [part = '', name = '']] of COMPUTE) {
    usage.set(
      entry,
      amounts(object, part, name).reduce<number>((sum, amount) => sum + (amount ?? 0), 0),
    );
  }
  return usage;
}

function isOver(resource: Resource, object: KubeObject): boolean {
  if (resource.plural !== 'pods' || !isRecord(object.status)) return false;
  return object.status['phase'] === 'Succeeded' || object.status['phase'] === 'Failed';
}

function hardOf(quota: KubeObject): [string, number][] {
  const hard = isRecord(quota.spec) && isRecord(quota.spec['hard']) ? quota.spec['hard'] : {};
  return Object.entries(hard).map(([name, value]) => [name, parseQuantity(value) ?? 0]);
}

function usedIn(store: Store, namespace: string, entry: string): number {
  let used = 0;
  for (const resource of RESOURCES) {
    if (!countsOf(resource).includes(entry) && !(resource.plural === 'pods' && COMPUTE.has(entry))) continue;
    for (const object of store.list(resource, namespace)) {
      if (!isOver(resource, object)) used += usageOf(resource, object).get(entry) ?? 0;
    }
  }
  return used;
}

/** @throws ApiError 403 `exceeded quota` when the namespace has no room for the object */
export function checkQuota(store: Store, resource: Resource, object: KubeObject): void {
  const { namespace, name } = object.metadata;
  if (namespace === undefined) return;
  for (const quota of store.list(RESOURCE_QUOTAS, namespace)) {
    const usage = usageOf(resource, object);
    const concerned = hardOf(quota).filter(([entry]) => usage.has(entry));
    const unset = resource.plural === 'pods' ? concerned.filter(([entry]) => isUnset(object, entry)) : [];
    if (unset.length > 0) {
      const entries = unset.map(([entry]) => entry).join(',');
      throw forbidden(resource, name, `failed quota: ${quota.metadata.name}: must specify ${entries}`);
    }
    const rows = concerned.map(([entry, hard]) => ({
      entry,
      hard,
      asked: usage.get(entry) ?? 0,
      used: usedIn(store, namespace, entry),
    }));
    const over = rows.filter(({ used, asked, hard }) => used + asked > hard);
    if (over.length === 0) continue;
    const list = (value: (row: (typeof over)[number]) => number): string =>
      over.map((row) => `${row.entry}=${formatQuantity(value(row))}`).join(',');
    const why = `requested: ${list((row) => row.asked)}, used: ${list((row) => row.used)}, limited: ${list((row) => row.hard)}`;
    throw forbidden(resource, name, `exceeded quota: ${quota.metadata.name}, ${why}`);
  }
}

function isUnset(pod: KubeObject, entry: string): boolean {
  const [part, name] = COMPUTE.get(entry) ?? [];
  if (part === undefined || name === undefined) return false;
  return amounts(pod, part, name).some((amount) => amount === undefined);
}

/** Writes the used amounts into the status of a namespace's quotas. */
export function refreshQuotas(store: Store, namespace: string): void {
  for (const quota of store.list(RESOURCE_QUOTAS, namespace)) {
    const rows = hardOf(quota);
    const hard = isRecord(quota.spec) ? quota.spec['hard'] : {};
    const used = Object.fromEntries(rows.map(([name]) => [name, formatQuantity(usedIn(store, namespace, name))]));
    store.modify(RESOURCE_QUOTAS, quota, (draft) => {
      draft.status = { hard, used };
    });
  }
}
