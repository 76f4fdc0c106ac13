import { DispatchError } from '../../core/errors.ts';
import { currentAttempt } from '../../run/machine.ts';
import type { ActiveRun } from '../../run/record.ts';
import type { DispatchDeps } from '../deps.ts';
import { isDenied } from './snapshots.ts';

/**
 * Looks at what the attempt is to start from before anything is made of it: a rule of the bucket may have removed it. Where
 * the dispatcher may not look, Flink will say so.
 * @throws DispatchError `StateUnreadable`; `StateStorageUnavailable`: the same again may succeed
 */
export async function checkRestore(run: ActiveRun, { state, log }: DispatchDeps): Promise<void> {
  const { restoredFrom: from } = currentAttempt(run);
  if (run.job.state === undefined || from === undefined) return;
  try {
    if ((await state(from.path).look(from.path)) !== undefined) return;
  } catch (error) {
    if (!isDenied(error)) throw error;
    log.warn('what the job starts from was not looked at', { runId: run.runId, path: from.path, error });
    return;
  }
  const message = `There is no complete ${from.kind} at ${from.path}: it has no _metadata that Flink could read`;
  throw new DispatchError('StateUnreadable', message);
}
