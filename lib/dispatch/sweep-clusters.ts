import type { Duration } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { isRunId, parseClusterId } from '../core/ids.ts';
import { removeAndProve } from '../cleanup/remove.ts';
import type { ClusterRef, OwnedCluster } from '../cluster/port.ts';
import type { RunRecord } from '../run/record.ts';
import { isPoolSession, sweepSession } from './sweep-sessions.ts';
import type { SweepDeps, SweepLimits } from './sweep.ts';
import type { Target } from './targets.ts';

/** A cluster is made after its record: one that has none for this long will not get one. */
const ORPHAN_AGE: Duration = 15 * 60_000;

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
  limits: SweepLimits,
): Promise<SweptClusters> {
  const { found, unswept } = await findOld(targets, deps);
  const behind = found.filter(({ place }) => from !== undefined && place > from);
  const inTurn = [...behind, ...found.filter((it) => !behind.includes(it))];
  const count = { leaked: 0, removed: 0, unswept };
  let last: string | undefined;
  for (const [index, { place, cluster, owned, target, targetName }] of inTurn.entries()) {
    if (index >= limits.most || deps.clock.now() >= limits.deadline) {
      const stoppedAt = last ?? from;
      return { ...count, ...(stoppedAt === undefined ? {} : { stoppedAt }) };
    }
    last = place;
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
  deps: SweepDeps,
): Promise<{ readonly found: readonly Found[]; readonly unswept: number }> {
  const found: Found[] = [];
  let unswept = 0;
  for (const name of targets) {
    try {
      const target = await deps.targets(name);
      const at = { target, targetName: name };
      const leases = await deps.leases.list(name);
      for (const namespace of target.namespaces) {
        const clusters = await target.inventory.list(namespace);
        const due = clusters.filter((cluster) => isOld(cluster, deps) || isPoolSession(cluster, deps));
        found.push(...due.map((owned) => ({ ...at, place: placeOf(name, owned), cluster: owned, owned })));
        const standing = new Set<string>(due.map(({ clusterId }) => clusterId));
        const alone = leases.filter((lease) => lease.namespace === namespace && !standing.has(lease.clusterId));
        const refs = alone.map(({ clusterId }) => ({ namespace, clusterId: parseClusterId(clusterId) }));
        found.push(...refs.map((cluster) => ({ ...at, place: placeOf(name, cluster), cluster })));
      }
    } catch (error) {
      unswept += 1;
      deps.log.warn('a target could not be swept', { target: name, error: describeError(error) });
    }
  }
  return { found: found.sort((a, b) => (a.place < b.place ? -1 : 1)), unswept };
}

function placeOf(target: string, { namespace, clusterId }: ClusterRef): string {
  return `${target}/${namespace}/${clusterId}`;
}

function isOld(cluster: OwnedCluster, { eventContext, clock }: SweepDeps): boolean {
  // Another deployment's ledger knows of it, or does not.
  if (cluster.ledger !== eventContext.ledgerBucket) return false;
  return isRunId(cluster.runId) && clock.now() - cluster.createdAt >= ORPHAN_AGE;
}

/** `undefined`: it is not leaked, or nobody knows. Its record is read at once before: nothing is removed on hearsay. */
async function removeLeaked(cluster: OwnedCluster, target: Target, deps: SweepDeps): Promise<boolean | undefined> {
  try {
    const stored = isRunId(cluster.runId) ? await deps.ledger.read(cluster.runId) : undefined;
    if (stored !== undefined && mayHave(stored.value, cluster)) return undefined;
    deps.log.error('a cluster without a live run', { ...cluster });
    const remains = await removeAndProve(target.clusters, cluster, { highAvailability: false, uid: cluster.uid });
    return remains.length === 0;
  } catch (error) {
    deps.log.warn('a cluster could not be swept', { ...cluster, error: describeError(error) });
    return undefined;
  }
}

/** A run that is live or keeps its cluster sees to it itself. */
function mayHave(record: RunRecord, cluster: ClusterRef): boolean {
  if (record.state === 'closed') return false;
  const attempt = record.attempts.find(({ clusterId }) => clusterId === cluster.clusterId);
  return attempt !== undefined && attempt.goneAt === undefined;
}
