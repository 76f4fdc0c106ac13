import type { LiveRun, SweepCursor } from '../../run/store/live-runs.ts';
import { defined } from '../../core/defined.ts';
import { sweepDeployments } from './sweep-deployments.ts';
import { sweepClusters } from './sweep-clusters.ts';
import { OVERDUE, PAGE, type SweepDeps, type SweepLimits } from './sweep-deps.ts';
import { foldRows, forget, mendRow } from './sweep-rows.ts';

export interface SweepReport {
  /** Live runs that were looked at. */
  readonly looked: number;
  /** Of them, those that were overdue. */
  readonly resumed: number;
  /** Live deployments that were looked at, and how many of them were woken. */
  readonly deployments: number;
  readonly woken: number;
  /** Clusters without a live run, and how many of them are proven gone. */
  readonly leaked: number;
  readonly removed: number;
  /** Targets that gave no answer. */
  readonly unswept: number;
}

/**
 * Finds what a crash left between two steps: runs whose message is lost go on, markers without a live run go, clusters
 * without a live run are removed. A pass is bounded in number and time, and goes on where the last one stopped, so that
 * nothing is passed over for ever. Sweeping twice, or twice at a time, does no harm.
 */
export async function sweep(targets: readonly string[], deps: SweepDeps, limits: SweepLimits): Promise<SweepReport> {
  const from = await lastPlace(deps);
  const now = deps.clock.now();
  // However many runs there are, deployments have a quarter of the time, and clusters another one.
  const half = now + Math.max(0, limits.deadline - now) / 2;
  const runs = await sweepRuns(from.run, deps, { ...limits, deadline: half });
  // A function that is ended in the middle has not begun where it ended: each place is written when it is reached.
  const cursor = placeKeeper(from, deps);
  await cursor({ run: runs.stoppedAt });
  if (limits.folds === true) await foldRows(deps);
  const streams = await sweepDeployments(from.deployment, deps, {
    ...limits,
    deadline: now + (limits.deadline - now) * 0.75,
  });
  await cursor({ deployment: streams.stoppedAt });
  const onPlace = (cluster: string): Promise<void> => cursor({ cluster });
  const clusters = await sweepClusters(targets, from.cluster, deps, { ...limits, onPlace });
  await cursor({ cluster: clusters.stoppedAt });
  const { looked, resumed } = runs;
  const { leaked, removed, unswept } = clusters;
  const { looked: deployments, woken } = streams;
  const report = { looked, resumed, deployments, woken, leaked, removed, unswept };
  deps.log.info('swept', { ...report });
  return report;
}

async function lastPlace({ cursors, log }: SweepDeps): Promise<SweepCursor> {
  try {
    return await cursors.read();
  } catch (error) {
    log.warn('the sweep begins anew', { error });
    return {};
  }
}

/**
 * Writes what has changed of a place; absent: all were looked at, and the next sweep begins anew. What could not be written
 * is written with the next one.
 */
function placeKeeper(
  from: SweepCursor,
  { cursors, log }: SweepDeps,
): (change: { readonly [K in keyof SweepCursor]: string | undefined }) => Promise<void> {
  let [reached, written] = [from, from];
  return async (change) => {
    const { run, deployment, cluster } = { ...reached, ...change };
    reached = defined({ run, deployment, cluster });
    if (written.run === run && written.deployment === deployment && written.cluster === cluster) return;
    try {
      await cursors.write(reached);
      written = reached;
    } catch (error) {
      log.warn('where the sweep stopped was not kept', { error });
    }
  };
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
      return { looked, resumed, ...defined({ stoppedAt: after }) };
    }
    const limit = Math.min(PAGE, limits.most - looked);
    const listed = await listLive(after, limit, deps);
    if (listed === undefined) return { looked, resumed, ...defined({ stoppedAt: after }) };
    const page = wrapped && from !== undefined ? listed.filter((run) => run.place <= from) : listed;
    looked += page.length;
    resumed += (await Promise.all(page.map((run) => resume(run, deps)))).filter(Boolean).length;
    after = page.at(-1)?.place ?? after;
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
    return await live.list({ limit, ...defined({ after }) });
  } catch (error) {
    log.warn('runs could not be listed', { error });
    return undefined;
  }
}

async function resume(run: LiveRun, deps: SweepDeps): Promise<boolean> {
  const { runId } = run;
  try {
    const stored = await deps.ledger.read(runId);
    if (stored === undefined || stored.value.state === 'closed') {
      await forget(run, stored?.value, deps);
      return false;
    }
    const { state, step } = stored.value;
    await mendRow(run, stored.value, deps);
    const now = deps.clock.now();
    if (now - step.dueAt < OVERDUE) return false;
    await deps.runQueue.send({ version: 1, runId, step: step.number }, 0);
    // Due from now on: a queue with a backlog does not get one more message every minute.
    await deps.ledger.replace({ ...stored.value, step: { ...step, dueAt: now } }, stored.version);
    deps.log.warn('a run was overdue', { runId, state, dueAt: step.dueAt });
    return true;
  } catch (error) {
    deps.log.warn('a run could not be swept', { runId, error });
    return false;
  }
}
