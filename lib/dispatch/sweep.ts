import type { Duration, Instant } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import type { LiveRun, LiveRuns, SweepPlace, SweepPlaces } from '../run/live-runs.ts';
import type { SessionLeases } from '../run/session-lease.ts';
import type { DispatchDeps } from './deps.ts';
import { sweepClusters } from './sweep-clusters.ts';

/** A message that is this late is lost, or its function died with it: its queue would have shown it again by now. */
const OVERDUE: Duration = 2 * 60_000;
/** A record comes a moment after its marker: no function that has set one this long ago still lives. */
const MARKER_AGE: Duration = 60 * 60_000;
const PAGE = 100;

export interface SweepLimits {
  /** At most this many runs, and as many clusters, in one pass. */
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
export type SweepDeps = Pick<DispatchDeps, 'ledger' | 'runQueue' | 'eventContext' | 'targets' | 'clock' | 'log'> & {
  readonly live: LiveRuns;
  readonly places: SweepPlaces;
  readonly leases: SessionLeases;
};

/**
 * Finds what a crash left between two steps: runs whose message is lost go on, markers without a live run go, clusters
 * without a live run are removed. A pass is bounded in number and time, and goes on where the last one stopped, so that
 * nothing is passed over for ever. Sweeping twice, or twice at a time, does no harm.
 */
export async function sweep(targets: readonly string[], deps: SweepDeps, limits: SweepLimits): Promise<SweepReport> {
  const from = await lastPlace(deps);
  const now = deps.clock.now();
  // However many runs there are, clusters have their half of the time.
  const half = now + Math.max(0, limits.deadline - now) / 2;
  const runs = await sweepRuns(from.run, deps, { ...limits, deadline: half });
  const clusters = await sweepClusters(targets, from.cluster, deps, limits);
  await keepPlace(from, { ...place('run', runs.stoppedAt), ...place('cluster', clusters.stoppedAt) }, deps);
  const { looked, resumed } = runs;
  const { leaked, removed, unswept } = clusters;
  const report = { looked, resumed, leaked, removed, unswept };
  deps.log.info('swept', { ...report });
  return report;
}

function place<K extends keyof SweepPlace>(of: K, at: string | undefined): Pick<SweepPlace, K> | object {
  return at === undefined ? {} : { [of]: at };
}

async function lastPlace({ places, log }: SweepDeps): Promise<SweepPlace> {
  try {
    return await places.read();
  } catch (error) {
    log.warn('the sweep begins anew', { error: describeError(error) });
    return {};
  }
}

async function keepPlace(last: SweepPlace, next: SweepPlace, { places, log }: SweepDeps): Promise<void> {
  if (last.run === next.run && last.cluster === next.cluster) return;
  try {
    await places.write(next);
  } catch (error) {
    log.warn('where the sweep stopped was not kept', { error: describeError(error) });
  }
}

interface SweptRuns {
  readonly looked: number;
  readonly resumed: number;
  /** Absent: all were looked at. */
  readonly stoppedAt?: string;
}

/** From behind the last place to the end, then from the beginning up to it. */
async function sweepRuns(from: string | undefined, deps: SweepDeps, limits: SweepLimits): Promise<SweptRuns> {
  let [looked, resumed, after, wrapped] = [0, 0, from, from === undefined];
  for (;;) {
    if (looked >= limits.most || deps.clock.now() >= limits.deadline) {
      return { looked, resumed, ...(after === undefined ? {} : { stoppedAt: after }) };
    }
    const limit = Math.min(PAGE, limits.most - looked);
    const listed = await listLive(after, limit, deps);
    if (listed === undefined) return { looked, resumed, ...(after === undefined ? {} : { stoppedAt: after }) };
    const page = wrapped && from !== undefined ? listed.filter(({ runId }) => runId <= from) : listed;
    looked += page.length;
    resumed += (await Promise.all(page.map((run) => resume(run, deps)))).filter(Boolean).length;
    after = page.at(-1)?.runId ?? after;
    if (listed.length === limit && page.length === listed.length) continue;
    if (wrapped) return { looked, resumed };
    wrapped = true;
    after = undefined;
  }
}

async function listLive(
  after: string | undefined,
  limit: number,
  { live, log }: SweepDeps,
): Promise<readonly LiveRun[] | undefined> {
  try {
    return await live.list({ limit, ...(after === undefined ? {} : { after }) });
  } catch (error) {
    log.warn('runs could not be listed', { error: describeError(error) });
    return undefined;
  }
}

async function resume(run: LiveRun, deps: SweepDeps): Promise<boolean> {
  const { runId } = run;
  try {
    const stored = await deps.ledger.read(runId);
    if (stored === undefined || stored.value.state === 'closed') {
      const over = stored !== undefined || deps.clock.now() - run.markedAt >= MARKER_AGE;
      if (over) await deps.live.forget(run);
      return false;
    }
    const { state, look } = stored.value;
    const now = deps.clock.now();
    if (now - look.dueAt < OVERDUE) return false;
    await deps.runQueue.send({ version: 1, runId, look: look.number }, 0);
    // Due from now on: a queue with a backlog does not get one more message every minute.
    await deps.ledger.replace({ ...stored.value, look: { ...look, dueAt: now } }, stored.version);
    deps.log.warn('a run was overdue', { runId, state, dueAt: look.dueAt });
    return true;
  } catch (error) {
    deps.log.warn('a run could not be swept', { runId, error: describeError(error) });
    return false;
  }
}
