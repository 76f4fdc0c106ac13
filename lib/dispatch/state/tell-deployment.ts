import { canonicalJson } from '../../core/json.ts';
import type { RunRecord } from '../../run/record.ts';
import type { DispatchDeps } from '../deps.ts';

/** Has the deployment look at its run, which has just been written. A message that is lost is made up for by the sweeper. */
export async function tellDeployment(
  before: RunRecord,
  run: RunRecord,
  { runQueue, log }: Pick<DispatchDeps, 'runQueue' | 'log'>,
): Promise<void> {
  if (run.deployment === undefined || newsOf(before) === newsOf(run)) return;
  try {
    await runQueue.send({ version: 1, deployment: run.deployment.id }, 0);
  } catch (error) {
    log.warn('the deployment was not told of its run', { runId: run.runId, error });
  }
}

/** What a deployment acts on. */
function newsOf({ state, attempts, stopFailed, stateUnknown, prepared }: RunRecord): string {
  const { number, snapshot } = attempts.at(-1) ?? {};
  const readyAt = prepared?.readyAt;
  return canonicalJson({ state, number, snapshot: snapshot?.path, stopFailed: stopFailed?.at, stateUnknown, readyAt });
}
