import type { DeploymentEffect } from '../../deployment/decision.ts';
import { forget } from '../../deployment/history.ts';
import type { DeploymentRecord, NextRun } from '../../deployment/record.ts';
import type { RunRecord } from '../../run/record.ts';
import { cancelRun } from '../cancel.ts';
import type { DispatchDeps } from '../deps.ts';
import { isDenied } from '../state/snapshots.ts';
import { requestStop } from '../state/request-stop.ts';
import { adoptRun } from './adopt-run.ts';
import { checkState } from './check-state.ts';
import { look } from './look.ts';
import { lookAtLoad } from './look-at-load.ts';
import { dropRun, permitRun, prepareRun } from './prepare-run.ts';
import { rescale } from './rescale.ts';
import { requestOf, startRun } from './start-run.ts';
import { takeSnapshot, type Found } from './take-snapshot.ts';

/** Does what was decided; what is found out on the way goes into the record. */
export async function carryOut(
  effect: DeploymentEffect,
  record: DeploymentRecord,
  run: RunRecord | undefined,
  deps: DispatchDeps,
): Promise<Found | undefined> {
  if ('next' in effect) return carryOutNext(effect, record, run, deps);
  switch (effect.kind) {
    case 'start-run':
      await startRun(record, effect.run, deps);
      return undefined;
    case 'adopt-run':
      return adoptRun(effect.run, record, deps);
    case 'permit-run':
      await permitRun(effect.run, deps);
      return undefined;
    case 'stop-run':
      await stopRun(effect, record, deps);
      return undefined;
    case 'take-snapshot':
    case 'rescale':
    case 'look':
    case 'look-at-load':
      return run === undefined ? undefined : askOf(run, effect, record, deps);
    case 'remove-snapshot':
      return removeSnapshot(effect, record, deps);
    case 'remove-leftover':
      return removeLeftover(effect.directory, deps);
    case 'keep-jar': {
      const { job } = await requestOf(record, effect.generation, deps);
      if (job.jar.pinned !== undefined) await deps.keepJar(job.jar.pinned);
      return undefined;
    }
  }
}

/** What is done to a run before its turn. */
async function carryOutNext(
  { kind, next }: Extract<DeploymentEffect, { readonly next: NextRun }>,
  record: DeploymentRecord,
  run: RunRecord | undefined,
  deps: DispatchDeps,
): Promise<Found | undefined> {
  if (kind === 'check-state') return checkState(next, record, run, deps);
  await (kind === 'prepare-run' ? prepareRun : dropRun)(record, next, deps);
  return undefined;
}

/** What a JobManager is asked. */
function askOf(
  run: RunRecord,
  effect: Extract<DeploymentEffect, { kind: 'take-snapshot' | 'rescale' | 'look' | 'look-at-load' }>,
  record: DeploymentRecord,
  deps: DispatchDeps,
): Promise<Found | undefined> {
  switch (effect.kind) {
    case 'take-snapshot':
      return takeSnapshot(effect.request, run, deps);
    case 'rescale':
      return rescale(effect.run, record, run, deps);
    case 'look':
      return look(run, deps);
    case 'look-at-load':
      return lookAtLoad(run, deps);
  }
}

async function stopRun(
  { runId, stop, upgrade }: Extract<DeploymentEffect, { kind: 'stop-run' }>,
  { id }: DeploymentRecord,
  deps: DispatchDeps,
): Promise<void> {
  const asked = {
    by: `deployment ${id}`,
    reason: upgrade ? ('ReplacedByNewerRun' as const) : ('JobCanceled' as const),
  };
  switch (stop.mode) {
    case 'cancel':
      await cancelRun(runId, asked, deps);
      return;
    case 'last-state':
      await requestStop(runId, { ...asked, mode: 'last-state' }, deps);
      return;
    case 'savepoint': {
      const { format, fallback, until } = stop;
      const deadline = Math.max(0, until - deps.clock.now());
      await requestStop(runId, { ...asked, mode: 'savepoint', format, fallback, deadline }, deps);
    }
  }
}

async function removeSnapshot(
  { ordinal, directory }: Extract<DeploymentEffect, { kind: 'remove-snapshot' }>,
  record: DeploymentRecord,
  deps: DispatchDeps,
): Promise<Found | undefined> {
  const removed = directory === undefined || (await remove(directory, deps));
  // Of a deployment that is deleted nobody would come back for it.
  return removed || record.state === 'deleting' ? (it) => forget(it, ordinal) : undefined;
}

async function removeLeftover(directory: string, deps: DispatchDeps): Promise<Found> {
  await remove(directory, deps);
  return (record) => ({ ...record, leftovers: record.leftovers.filter((left) => left.directory !== directory) });
}

/** False where the dispatcher may not: it never will, so nothing waits for it. */
async function remove(directory: string, deps: DispatchDeps): Promise<boolean> {
  try {
    await deps.state(directory).remove(directory);
    return true;
  } catch (error) {
    if (!isDenied(error)) throw error;
    deps.log.warn('a snapshot stays, which the dispatcher may not delete', { directory, error });
    return false;
  }
}
