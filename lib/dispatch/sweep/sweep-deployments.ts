import { defined } from '../../core/defined.ts';
import { isDeploymentId, type DeploymentId } from '../../core/ids.ts';
import type { DeploymentRecord } from '../../deployment/record.ts';
import type { LiveDeployment } from '../../deployment/store/deployments.ts';
import { MARKER_AGE, OVERDUE, PAGE, type SweepDeps, type SweepLimits } from './sweep-deps.ts';

export interface SweptDeployments {
  readonly looked: number;
  readonly woken: number;
  /** Absent: all were looked at. */
  readonly stoppedAt?: DeploymentId;
}

/**
 * Wakes deployments for which something is due and whose message is lost, or was never sent because the time was far
 * away, and those whose run is gone. Markers of those that are over go.
 */
export async function sweepDeployments(
  from: string | undefined,
  deps: SweepDeps,
  limits: SweepLimits,
): Promise<SweptDeployments> {
  let [looked, woken] = [0, 0];
  let after = from !== undefined && isDeploymentId(from) ? from : undefined;
  for (;;) {
    if (looked >= limits.most || deps.clock.now() >= limits.deadline) {
      return { looked, woken, ...defined({ stoppedAt: after }) };
    }
    const page = await listPage(after, Math.min(PAGE, limits.most - looked), deps);
    looked += page.length;
    woken += (await Promise.all(page.map((marker) => wake(marker, deps)))).filter(Boolean).length;
    after = page.at(-1)?.id;
    if (after === undefined) return { looked, woken };
  }
}

async function listPage(
  after: DeploymentId | undefined,
  limit: number,
  { deployments, log }: SweepDeps,
): Promise<readonly LiveDeployment[]> {
  try {
    return await deployments.list({ limit, ...defined({ after }) });
  } catch (error) {
    log.warn('deployments could not be listed', { error });
    return [];
  }
}

async function wake(marker: LiveDeployment, deps: SweepDeps): Promise<boolean> {
  const { id } = marker;
  try {
    const stored = await deps.deployments.read(id);
    const now = deps.clock.now();
    if (stored === undefined || isOver(stored.value)) {
      if (now - marker.markedAt >= MARKER_AGE) await deps.deployments.forget(marker);
      return false;
    }
    const record = stored.value;
    const isDue = record.dueAt !== undefined && now - record.dueAt >= OVERDUE;
    if (!isDue && !(await hasLostItsRun(record, deps))) return false;
    await deps.runQueue.send({ version: 1, deployment: id }, 0);
    // Due from now on: a queue with a backlog does not get one more message every minute.
    if (isDue) await deps.deployments.replace({ ...record, dueAt: now }, stored.version);
    deps.log.warn('a deployment was overdue', { deployment: id, state: record.state, dueAt: record.dueAt });
    return true;
  } catch (error) {
    deps.log.warn('a deployment could not be swept', { deployment: id, error });
    return false;
  }
}

/** Nothing becomes of it any more, unless somebody marks it anew. */
function isOver({ state, events, dueAt }: DeploymentRecord): boolean {
  const isTold = events.every(({ publishedAt }) => publishedAt !== undefined);
  return isTold && (state === 'deleted' || (state === 'finished' && dueAt === undefined));
}

/** The message that its run is closed, or that it has to be made, may be the one that is lost. */
async function hasLostItsRun({ run, dueAt }: DeploymentRecord, deps: SweepDeps): Promise<boolean> {
  if (run === undefined || dueAt !== undefined) return false;
  const stored = await deps.ledger.read(run.id);
  return stored === undefined || stored.value.state === 'closed';
}
