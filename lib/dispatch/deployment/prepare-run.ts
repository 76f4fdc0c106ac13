import type { DeploymentRecord, DeploymentRun, NextRun } from '../../deployment/record.ts';
import { hasAttempt } from '../../run/machine.ts';
import type { RunRecord } from '../../run/record.ts';
import { permitted } from '../../run/prepared.ts';
import { openAttempt } from '../attempt-context.ts';
import { cancelRun } from '../cancel.ts';
import { changeRun } from '../change-run.ts';
import type { DispatchDeps } from '../deps.ts';
import { contenderOf, lockOf, releaseLock } from '../lock.ts';
import { handOver } from '../modes/prepared-mode.ts';
import { startRun } from './start-run.ts';

/** Makes the next run, which goes as far as it may without a permit. */
export function prepareRun(record: DeploymentRecord, { id, generation }: NextRun, deps: DispatchDeps): Promise<void> {
  return startRun(record, { id, generation, prepared: true }, deps);
}

/** Whoever was about to make it finds it made, and to be ended. */
export async function dropRun(record: DeploymentRecord, next: NextRun, deps: DispatchDeps): Promise<void> {
  await prepareRun(record, next, deps);
  await cancelRun(next.id, { by: `deployment ${record.id}`, reason: 'ReplacedByNewerRun' }, deps);
}

/**
 * Grants the permit, with what the program starts from: only once the record names the run, so that the one before it has
 * ended for good. It stands in the deployment's line first, and later runs behind it. One that has ended meanwhile gets none.
 */
export async function permitRun({ id, startFrom }: DeploymentRun, deps: DispatchDeps): Promise<void> {
  const next = (await deps.ledger.read(id))?.value;
  const lock = lockOf(next);
  if (next !== undefined && lock !== undefined) await deps.locks.acquire(lock, contenderOf(next), { enqueue: true });
  const asked = await changeRun(id, (run) => permitted(run, startFrom, deps.clock.now()), deps);
  if (asked === undefined) {
    if (next !== undefined) await releaseLock(next, deps);
    return;
  }
  if (asked.isNew) await begin(asked.run, deps);
  await deps.runQueue.send({ version: 1, runId: id, step: asked.run.step.number }, 0);
}

/** At once, because the stream stands still. What goes wrong is for the run's own looks to see, and to mend. */
async function begin(run: RunRecord, deps: DispatchDeps): Promise<void> {
  if (!hasAttempt(run)) return;
  try {
    await handOver(await openAttempt(run, deps));
  } catch (error) {
    deps.log.warn('a program was not handed over at once', { runId: run.runId, error });
  }
}
