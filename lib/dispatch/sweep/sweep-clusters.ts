import type { Duration, Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import { mapConcurrent } from '../../core/map-concurrent.ts';
import { runOf } from '../../kubernetes/cluster/owner-metadata.ts';
import { removeAndVerify } from '../../kubernetes/cluster/remove-and-verify.ts';
import type { ClusterRef, OwnedCluster } from '../../kubernetes/cluster/port.ts';
import type { RunRecord } from '../../run/record.ts';
import { isPoolSession, sweepSession } from './sweep-sessions.ts';
import type { SweepDeps, SweepLimits } from './sweep-deps.ts';
import type { Target } from '../targets.ts';

/** A cluster is made after its record: one that has none for this long will not get one. */
const ORPHAN_AGE: Duration = 15 * 60_000;

/** Clusters between two places that are written down. */
const PLACES = 10;
/** Targets that are asked at the same time: one that answers slowly takes nothing from the others. */
const AT_ONCE = 16;

interface ClusterLimits extends SweepLimits {
  readonly onPlace: (place: string) => Promise<void>;
}

interface SweptClusters {
  readonly leaked: number;
  readonly removed: number;
  readonly unswept: number;
  /** Absent: all were looked at. */
  readonly stoppedAt?: string;
}

interface Found {
  readonly place: string;
  readonly cluster: ClusterRef;
  /** Absent: of a session that has a lease there is no Deployment. */
  readonly owned?: OwnedCluster;
  readonly target: Target;
  readonly targetName: string;
}

/** Clusters that no live run has any more, of all targets, from behind the last place on and then from the beginning. */
export async function sweepClusters(
  targets: readonly string[],
  from: string | undefined,
  deps: SweepDeps,
  limits: ClusterLimits,
): Promise<SweptClusters> {
  const now = deps.clock.now();
  // What is found has the other half of the time.
  const until = now + Math.max(0, limits.deadline - now) / 2;
  const { found, unswept } = await findOld(targets, until, deps);
  const behind = found.filter(({ place }) => from !== undefined && place > from);
  const inTurn = [...behind, ...found.filter((it) => !behind.includes(it))];
  const count = { leaked: 0, removed: 0, unswept };
  let last: string | undefined;
  for (const [index, { place, cluster, owned, target, targetName }] of inTurn.entries()) {
    if (index >= limits.most || deps.clock.now() >= limits.deadline) {
      const stoppedAt = last ?? from;
      return { ...count, ...defined({ stoppedAt }) };
    }
    last = place;
    if (index % PLACES === PLACES - 1) await limits.onPlace(place);
    if (owned === undefined || isPoolSession(owned, deps)) {
      await sweepSession(target, { target: targetName, ...cluster }, owned !== undefined, deps);
      continue;
    }
    const removed = await removeLeaked(owned, target, deps);
    if (removed !== undefined) count.leaked += 1;
    if (removed === true) count.removed += 1;
  }
  return count;
}

/** Those that are old enough to be leaked, and sessions by their Deployment or their lease, in one order. */
async function findOld(
  targets: readonly string[],
  until: Instant,
  deps: SweepDeps,
): Promise<{ readonly found: readonly Found[]; readonly unswept: number }> {
  const asked = await mapConcurrent(targets, AT_ONCE, async (name) => {
    const found: Found[] = [];
    try {
      await findIn(name, until, found, deps);
      return { found, unswept: 0 };
    } catch (error) {
      deps.log.warn('a target could not be swept', { target: name, error });
      return { found, unswept: 1 };
    }
  });
  const found = asked.flatMap((one) => one.found).sort((a, b) => (a.place < b.place ? -1 : 1));
  return { found, unswept: asked.reduce((sum, one) => sum + one.unswept, 0) };
}

/** Adds what one target has, as far as it answers in time. */
async function findIn(name: string, until: Instant, found: Found[], deps: SweepDeps): Promise<void> {
  const target = await deps.targets(name);
  const at = { target, targetName: name };
  const leases = await deps.leases.list(name);
  for (const namespace of target.namespaces) {
    if (deps.clock.now() >= until) throw new DispatchError('ClusterUnavailable', `${name} answers too slowly`);
    const clusters = await target.cluster.list(namespace);
    const due = clusters.filter((cluster) => isOld(cluster, deps) || isPoolSession(cluster, deps));
    found.push(...due.map((owned) => ({ ...at, place: placeOf(name, owned), cluster: owned, owned })));
    const standing = new Set(due.map(({ clusterId }) => clusterId));
    const alone = leases.filter((lease) => lease.namespace === namespace && !standing.has(lease.clusterId));
    const refs = alone.map(({ clusterId }) => ({ namespace, clusterId }));
    found.push(...refs.map((cluster) => ({ ...at, place: placeOf(name, cluster), cluster })));
  }
}

function placeOf(target: string, { namespace, clusterId }: ClusterRef): string {
  return `${target}/${namespace}/${clusterId}`;
}

function isOld({ owner, createdAt }: OwnedCluster, { eventContext, clock }: SweepDeps): boolean {
  // Another deployment's ledger knows of it, or does not.
  if (owner.ledger !== eventContext.ledgerBucket) return false;
  return clock.now() - createdAt >= ORPHAN_AGE;
}

/** `undefined`: it is not leaked, or nobody knows. Its record is read at once before: nothing is removed on hearsay. */
async function removeLeaked(cluster: OwnedCluster, target: Target, deps: SweepDeps): Promise<boolean | undefined> {
  const runId = runOf(cluster.owner);
  try {
    if (runId === undefined) return undefined;
    const stored = await deps.ledger.read(runId);
    if (stored !== undefined && mayHave(stored.value, cluster)) return undefined;
    deps.log.error('a cluster without a live run', { ...cluster, runId });
    const remains = await removeAndVerify(target.cluster, cluster, { highAvailability: false, uid: cluster.uid });
    return remains.length === 0;
  } catch (error) {
    deps.log.warn('a cluster could not be swept', { ...cluster, runId, error });
    return undefined;
  }
}

/** A run that is live or keeps its cluster sees to it itself. */
function mayHave(record: RunRecord, cluster: ClusterRef): boolean {
  if (record.state === 'closed') return false;
  const attempt = record.attempts.find(({ clusterId }) => clusterId === cluster.clusterId);
  return attempt !== undefined && attempt.removalVerifiedAt === undefined;
}
