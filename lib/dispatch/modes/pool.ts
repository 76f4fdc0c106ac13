import type { Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import { withNeed } from '../../kubernetes/admission/admit.ts';
import { sessionNeed } from '../../kubernetes/admission/cluster-need.ts';
import { removeAndVerify } from '../../kubernetes/cluster/remove-and-verify.ts';
import type { ClusterRef, PoolOwner } from '../../kubernetes/cluster/port.ts';
import { ownerMetadata } from '../../kubernetes/cluster/owner-metadata.ts';
import { buildCluster } from '../../flink/native/build-cluster.ts';
import { withJavaDefaults } from '../../flink/config/built-in.ts';
import { checkOptions } from '../../flink/options/check.ts';
import { flinkRules } from '../../flink/version.ts';
import type { ClusterRequest, FlinkCluster } from '../../flink/cluster.ts';
import type { PoolPlan } from '../../job/job.ts';
import { join, leave, newLease, stopped } from '../../run/session-lease.ts';
import type { SessionLease, SessionLeases, SessionRef } from '../../run/session-lease.ts';
import type { PlannedCluster } from '../plan-cluster.ts';
import type { Target } from '../targets.ts';

/** The uid of none: whatever Deployment is found is not the one that is meant. */
const NO_DEPLOYMENT = 'none';
/** How often others may change a lease in between. */
const RACES = 20;

/**
 * The session cluster of a pool, as Flink's own client makes it.
 * @throws DispatchError `InvalidConfiguration`, `InvalidName`, `InvalidSpec`, `UnsupportedFlinkVersion`
 */
export function planSession(pool: PoolPlan, ref: ClusterRef, ledger: string): PlannedCluster {
  const request: ClusterRequest = {
    flinkVersion: pool.flinkVersion,
    mode: 'session',
    options: {
      'cluster.registration.error-delay': '500 ms',
      ...withJavaDefaults(pool.options, flinkRules(pool.flinkVersion)),
      'kubernetes.cluster-id': ref.clusterId,
      'kubernetes.namespace': ref.namespace,
    },
    podTemplates: pool.podTemplates,
    ...defined({ logFiles: pool.logConfiguration }),
    marks: ownerMetadata(poolOwner(pool, ledger)),
  };
  checkOptions(request);
  const cluster = buildCluster(request);
  const need = sessionNeed(cluster);
  return { ...withNeed(cluster, need), need };
}

/** The session is no run's, and of this ledger's deployment alone. */
export function poolOwner({ name }: Pick<PoolPlan, 'name'>, ledger: string): PoolOwner {
  return { kind: 'pool', pool: name, ledger };
}

/** What belongs to one attempt's use of a pool's session. */
export interface PoolUse {
  readonly target: Target;
  readonly leases: SessionLeases;
  readonly ref: SessionRef;
  readonly runId: RunId;
  /** When the attempt was begun: a later one of the same run has a share of its own. */
  readonly since: Instant;
}

/** @throws DispatchError `ClusterUnavailable` while the session is being stopped: it can be joined when it is gone. */
export async function joinPool({ target, leases, ref, runId, since }: PoolUse, pool: PoolPlan): Promise<void> {
  await changeLease(leases, ref, async (known) => {
    const lease = known?.state === 'stopping' ? await finishStop(target, leases, known) : known;
    const joined = lease?.runs[runId];
    if (joined !== undefined && joined >= since) return undefined;
    return join(lease ?? newLease(ref, pool), runId, since);
  });
}

/** Nothing happens when the attempt has no share in it. */
export async function leavePool({ leases, ref, runId, since }: PoolUse, now: number): Promise<void> {
  await changeLease(leases, ref, (known) => {
    const joined = known?.runs[runId];
    const isOurs = known !== undefined && joined !== undefined && joined <= since;
    return Promise.resolve(isOurs ? leave(known, runId, now) : undefined);
  });
}

async function finishStop(target: Target, leases: SessionLeases, lease: SessionLease): Promise<SessionLease> {
  const remains = await removeSession(target, leases, lease);
  if (remains.length === 0) return stopped(lease);
  const message = `the session ${lease.clusterId} is being stopped: ${remains.join(', ')}`;
  throw new DispatchError('ClusterUnavailable', message, { retryAfter: 1 });
}

/**
 * Makes the session, or finds it. What one that somebody else deleted has left behind goes first: Flink would recover its
 * jobs, whose runs have ended with it.
 */
export async function makeSession({ cluster }: Target, plan: FlinkCluster, owner: PoolOwner): Promise<void> {
  await cluster.apply(plan, owner, async (uid) => {
    await cluster.removeLeftovers(plan, uid);
    return 'grant';
  });
}

/**
 * One look and one step of its removal; what remains, by name. Only under a lease that says `stopping`, and of the
 * Deployment that stood before that was read: a later one is of who has finished the stop, and begun anew.
 */
export async function removeSession(
  target: Target,
  leases: SessionLeases,
  session: SessionRef,
): Promise<readonly string[]> {
  const ref = { namespace: session.namespace, clusterId: session.clusterId };
  const { deployment } = await target.cluster.observe(ref);
  if ((await leases.read(session))?.value.state !== 'stopping') return [`Deployment/${ref.clusterId}`];
  if (deployment.state === 'absent') {
    return removeAndVerify(target.cluster, ref, { highAvailability: true, uid: NO_DEPLOYMENT });
  }
  // Somebody's own cluster has the name since.
  if (deployment.owner?.kind !== 'pool') return [];
  return removeAndVerify(target.cluster, ref, { highAvailability: true, uid: deployment.uid });
}

/** `change` answers the lease to write, or `undefined` for none; it is asked again when somebody else was first. */
async function changeLease(
  leases: SessionLeases,
  ref: SessionRef,
  change: (known: SessionLease | undefined) => Promise<SessionLease | undefined>,
): Promise<void> {
  for (let races = 0; races < RACES; races += 1) {
    const known = await leases.read(ref);
    const next = await change(known?.value);
    if (next === undefined || (await leases.write(next, known?.version))) return;
  }
  throw new DispatchError(
    'StorageUnavailable',
    `the lease of the session ${ref.clusterId} changed ${RACES} times meanwhile`,
  );
}
