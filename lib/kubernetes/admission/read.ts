import type { V1Deployment, V1ObjectMeta, V1Pod, V1ResourceQuota } from '@kubernetes/client-node';
import type { Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { isDispatchError } from '../../core/errors.ts';
import { parseQuantity } from '../../job/spec/quantity.ts';
import type { ObjectClient } from '../api/client.ts';
import { MANAGED_BY } from '../cluster/owner-metadata.ts';
import { amountsOfPod, parseAmounts, RESOURCES, sum, type Amounts, type Resource } from './amounts.ts';
import type { Neighbour, QuotaLimit } from './decide.ts';

/** On a Deployment: what its whole cluster takes of a quota, as JSON of `Amounts`. */
export const NEED_ANNOTATION = 'flink-dispatch.io/needs';
/** A JobManager that has no TaskManager so long after it was made is kept for somebody to look at, or gives up. */
const GETS_TASK_MANAGERS = 2 * 60_000;

const NAMES: Readonly<Record<string, Resource>> = {
  ...Object.fromEntries(RESOURCES.map((resource) => [resource, resource])),
  'count/pods': 'pods',
  cpu: 'requests.cpu',
  memory: 'requests.memory',
};

/** @returns `undefined` where the account may not see quotas */
export async function readQuotas(client: ObjectClient, namespace: string): Promise<readonly QuotaLimit[] | undefined> {
  try {
    const quotas = await client.list<V1ResourceQuota>('ResourceQuota', namespace, {});
    return quotas.flatMap(limitsOf);
  } catch (error) {
    if (isDispatchError(error) && error.reason === 'PermissionDenied') return undefined;
    throw error;
  }
}

/** One with scopes counts some pods only. */
function limitsOf({ metadata, spec, status }: V1ResourceQuota): readonly QuotaLimit[] {
  if ((spec?.scopes ?? []).length > 0 || spec?.scopeSelector !== undefined) return [];
  return Object.entries(spec?.hard ?? {}).flatMap(([name, text]) => {
    const resource = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
    const hard = parseQuantity(String(text));
    if (resource === undefined || hard === undefined) return [];
    const used = parseQuantity(String(status?.used?.[name] ?? '0')) ?? 0;
    return [{ quota: metadata?.name ?? '', resource, hard, used }];
  });
}

/** This product's clusters in a namespace, of which one is to be admitted. */
export interface Occupancy {
  readonly stands: boolean;
  readonly held: Amounts;
  readonly neighbours: readonly Neighbour[];
}

export async function readOccupancy(
  client: ObjectClient,
  { namespace, clusterId }: { readonly namespace: string; readonly clusterId: string },
  now: Instant,
): Promise<Occupancy> {
  const labelSelector = `${MANAGED_BY.name}=${MANAGED_BY.value}`;
  const [deployments, pods] = await Promise.all([
    client.list<V1Deployment>('Deployment', namespace, { labelSelector, metadataOnly: true }),
    client.list<V1Pod>('Pod', namespace, { labelSelector: 'type=flink-native-kubernetes' }),
  ]);
  const counted = pods.filter(isCounted);
  const podsOf = (name = ''): readonly V1Pod[] => counted.filter(({ metadata }) => metadata?.labels?.['app'] === name);
  const others = deployments.filter(({ metadata }) => metadata?.name !== clusterId);
  return {
    stands: others.length < deployments.length,
    held: heldBy(podsOf(clusterId)),
    neighbours: others.map(({ metadata }) => neighbour(metadata, podsOf(metadata?.name), now)),
  };
}

/** Quotas do not count pods that have ended. */
function isCounted({ status }: V1Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

function heldBy(pods: readonly V1Pod[]): Amounts {
  return sum(pods.map(({ spec }) => amountsOfPod(spec)));
}

function neighbour(metadata: V1ObjectMeta = {}, pods: readonly V1Pod[], now: Instant): Neighbour {
  const goes = metadata.deletionTimestamp !== undefined;
  const age = now - Date.parse(String(metadata.creationTimestamp));
  const hasTaskManagers = pods.some((pod) => pod.metadata?.labels?.['component'] === 'taskmanager');
  const waits = !goes && (hasTaskManagers || !(age >= GETS_TASK_MANAGERS));
  const whole = waits ? parseAmounts(metadata.annotations?.[NEED_ANNOTATION] ?? '') : undefined;
  return { held: heldBy(pods), ...defined({ whole }) };
}
