import type { Duration, Instant } from '../../core/clock.ts';
import { DispatchError } from '../../core/errors.ts';
import type { ClusterId } from '../../core/ids.ts';
import type { FlinkCluster } from '../../flink/cluster.ts';
import type { ObjectClient } from '../api/client.ts';
import { hasPermit } from '../cluster/start-permit.ts';
import type { AdmissibleCluster, Admitting, Owner, Place } from '../cluster/port.ts';
import type { ClusterNeed } from './cluster-need.ts';
import { decideAdmission, type Admission, type QuotaLimit } from './decide.ts';
import { NEED_ANNOTATION, readOccupancy, readQuotas } from './read.ts';
import { giveTurnBack, takeTurn } from './turn.ts';

/** For how long a warm function remembers that a namespace has no quota. */
const REMEMBERED: Duration = 60_000;

const FREE: Place = { settle: () => Promise.resolve(), giveBack: () => Promise.resolve() };

export function createAdmission(client: ObjectClient): Admitting['admit'] {
  /** Until when a namespace is taken to have no quota. */
  const unlimited = new Map<string, Instant>();
  return async (cluster, owner, now) => {
    const { namespace } = cluster;
    if ((unlimited.get(namespace) ?? 0) > now) return FREE;
    const limits = (await readQuotas(client, namespace)) ?? [];
    if (limits.length === 0) {
      unlimited.set(namespace, now + REMEMBERED);
      return FREE;
    }
    if ((await look(client, { cluster, owner, limits, now })) === 'begun') return FREE;
    return takePlace(client, cluster, owner, now);
  };
}

/** Looks again in its turn: who had it before may have taken the room. */
async function takePlace(
  client: ObjectClient,
  cluster: AdmissibleCluster,
  owner: Owner,
  now: Instant,
): Promise<Place | 'busy'> {
  const { namespace, clusterId } = cluster;
  const turn = await takeTurn(client, namespace, owner, now);
  if (turn === undefined) return 'busy';
  const place = placeOf(client, namespace, clusterId, turn);
  try {
    await look(client, { cluster, owner, limits: (await readQuotas(client, namespace)) ?? [], now });
    return place;
  } catch (error) {
    await place.giveBack();
    throw error;
  }
}

function placeOf(client: ObjectClient, namespace: string, clusterId: ClusterId, turn: string): Place {
  let held = true;
  return {
    async settle() {
      held = false;
      if (await giveTurnBack(client, namespace, turn)) return;
      // Looked at anew: by another call of the same launch it may have begun.
      const message = `the turn to admit ${clusterId} was taken over`;
      throw new DispatchError('ClusterUnavailable', message, { retryAfter: 1 });
    },
    async giveBack() {
      if (held) await giveTurnBack(client, namespace, turn);
      held = false;
    },
  };
}

interface Look {
  readonly cluster: AdmissibleCluster;
  readonly owner: Owner;
  /** Read before: see `decideAdmission`. */
  readonly limits: readonly QuotaLimit[];
  readonly now: Instant;
}

/** `begun`: its program may have begun, or its session serves others; it keeps what it has. */
async function look(client: ObjectClient, { cluster, owner, limits, now }: Look): Promise<'begun' | 'admitted'> {
  const { stands, held, neighbours } = await readOccupancy(client, cluster, now);
  if (stands && (owner.kind === 'pool' || (await hasPermit(client, cluster)))) return 'begun';
  const admission = decideAdmission({ limits, need: cluster.need, held, neighbours });
  if (admission.kind !== 'admitted') throw refusal(cluster, admission);
  return 'admitted';
}

function refusal({ namespace }: AdmissibleCluster, admission: Exclude<Admission, { kind: 'admitted' }>): DispatchError {
  const { kind, limit, need, left } = admission;
  const { quota, resource, hard } = limit;
  const takes = `its JobManager and TaskManagers take ${shown(need)} ${resource}`;
  const where = `ResourceQuota ${quota} of namespace ${namespace}`;
  return kind === 'never'
    ? new DispatchError('QuotaTooSmall', `The cluster can never start: ${takes}, and ${where} allows ${shown(hard)}`)
    : new DispatchError(
        'QuotaExceeded',
        `No room for the whole cluster: ${takes}, and ${where} has ${shown(left)} left`,
      );
}

function shown(amount: number): string {
  return String(Math.round(amount * 1000) / 1000);
}

/** The cluster with its need written on its Deployment, for those that come after it. */
export function withNeed<T extends FlinkCluster>(cluster: T, { whole }: ClusterNeed): T {
  const { metadata } = cluster.deployment;
  const annotations = { ...metadata?.annotations, [NEED_ANNOTATION]: JSON.stringify(whole) };
  return { ...cluster, deployment: { ...cluster.deployment, metadata: { ...metadata, annotations } } };
}
