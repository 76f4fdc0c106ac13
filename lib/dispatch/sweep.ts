import { randomBytes } from 'node:crypto';
import type { Duration, Instant } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { isRunId } from '../core/ids.ts';
import { removeAndProve } from '../cleanup/remove.ts';
import type { ClusterRef, OwnedCluster } from '../cluster/port.ts';
import type { RunRecord } from '../run/record.ts';
import type { DispatchDeps } from './deps.ts';
import type { Target } from './targets.ts';

/** A message that is this late is lost, or its function died with it: its queue would have shown it again by now. */
const OVERDUE: Duration = 2 * 60_000;
/** A cluster is made after its record: one that has none for this long will not get one. */
const ORPHAN_AGE: Duration = 15 * 60_000;
const PAGE = 200;

export interface SweepLimits {
  /** At most this many runs and clusters in one pass. */
  readonly most: number;
  /** The pass ends at this time, wherever it is. */
  readonly deadline: Instant;
}

export interface SweepReport {
  /** Live runs that were looked at. */
  readonly looked: number;
  /** Of them, those that were overdue. */
  readonly resumed: number;
  /** Clusters without a live run, and how many of them are proven gone. */
  readonly leaked: number;
  readonly removed: number;
  /** Targets that gave no answer. */
  readonly unswept: number;
}

/** What a sweep needs of the outside: it takes no step of a run itself. */
export type SweepDeps = Pick<DispatchDeps, 'ledger' | 'runQueue' | 'eventContext' | 'targets' | 'clock' | 'log'>;

/**
 * Finds what a crash left between two steps: runs whose message is lost go on, closed runs lose their marker, clusters
 * without a live run are removed. A pass is bounded, and begins at another place than the last one, so that none is
 * passed over for ever.
 */
export async function sweep(targets: readonly string[], deps: SweepDeps, limits: SweepLimits): Promise<SweepReport> {
  const runs = await sweepRuns(deps, limits);
  const clusters = { leaked: 0, removed: 0, unswept: 0 };
  for (const name of targets) {
    try {
      await sweepClusters(await deps.targets(name), deps, limits, clusters);
    } catch (error) {
      clusters.unswept += 1;
      deps.log.warn('a target could not be swept', { target: name, error: describeError(error) });
    }
  }
  const report = { ...runs, ...clusters };
  deps.log.info('swept', { ...report });
  return report;
}

async function sweepRuns(deps: SweepDeps, limits: SweepLimits): Promise<{ looked: number; resumed: number }> {
  const seen = new Set<string>();
  let resumed = 0;
  const starts = [randomBytes(10).toString('hex'), undefined];
  for (const start of starts) {
    let after = start;
    while (seen.size < limits.most && deps.clock.now() < limits.deadline) {
      const ids = await deps.ledger.live({ limit: PAGE, ...(after === undefined ? {} : { after }) });
      const fresh = ids.filter((id) => !seen.has(id)).slice(0, limits.most - seen.size);
      fresh.forEach((id) => seen.add(id));
      const results = await Promise.all(fresh.map((id) => resume(id, deps)));
      resumed += results.filter(Boolean).length;
      after = ids.at(-1);
      if (after === undefined || ids.length < PAGE || fresh.length === 0) break;
    }
  }
  return { looked: seen.size, resumed };
}

async function resume(id: string, deps: SweepDeps): Promise<boolean> {
  if (!isRunId(id)) return false;
  try {
    const stored = await deps.ledger.read(id);
    if (stored === undefined) return false;
    if (stored.value.state === 'closed') {
      // Writing it again takes its marker away, which the function that closed it did not live to do.
      await deps.ledger.replace(stored.value, stored.version);
      return false;
    }
    if (deps.clock.now() - stored.value.look.dueAt < OVERDUE) return false;
    await deps.runQueue.send({ version: 1, runId: id, look: stored.value.look.number }, 0);
    deps.log.warn('a run was overdue', { runId: id, state: stored.value.state, dueAt: stored.value.look.dueAt });
    return true;
  } catch (error) {
    deps.log.warn('a run could not be swept', { runId: id, error: describeError(error) });
    return false;
  }
}

async function sweepClusters(
  target: Target,
  deps: SweepDeps,
  limits: SweepLimits,
  count: { leaked: number; removed: number },
): Promise<void> {
  for (const namespace of target.namespaces) {
    for (const cluster of await target.inventory.list(namespace)) {
      if (count.leaked >= limits.most || deps.clock.now() >= limits.deadline) return;
      if (!(await isLeaked(cluster, deps))) continue;
      count.leaked += 1;
      deps.log.error('a cluster without a live run', { ...cluster });
      const remains = await removeAndProve(target.clusters, cluster, { highAvailability: false, uid: cluster.uid });
      if (remains.length === 0) count.removed += 1;
    }
  }
}

/** A run that is live or keeps its cluster sees to it itself. Read again before the removal: nothing is removed on hearsay. */
async function isLeaked(cluster: OwnedCluster, deps: SweepDeps): Promise<boolean> {
  // Another deployment's ledger knows of it, or does not.
  if (cluster.ledger !== deps.eventContext.ledgerBucket) return false;
  if (!isRunId(cluster.runId) || deps.clock.now() - cluster.createdAt < ORPHAN_AGE) return false;
  const stored = await deps.ledger.read(cluster.runId);
  return stored === undefined || !mayHave(stored.value, cluster);
}

function mayHave(record: RunRecord, cluster: ClusterRef): boolean {
  if (record.state === 'closed') return false;
  const attempt = record.attempts.find(({ clusterId }) => clusterId === cluster.clusterId);
  return attempt !== undefined && attempt.goneAt === undefined;
}
