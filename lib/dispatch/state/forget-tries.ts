import type { EndedRun } from '../../run/record.ts';
import { directoriesOfTries } from '../../run/stop-request.ts';
import { isBelow } from '../../state/storage.ts';
import type { DispatchDeps } from '../deps.ts';

/**
 * Removes what is left of savepoints that nobody knows of: those of tries that came to nothing, or that came too late. Once
 * the run is gone nobody writes there. Without rights they stay.
 */
export async function forgetTries(run: EndedRun, { state, log }: DispatchDeps): Promise<void> {
  const known = run.attempts.flatMap(({ snapshot, restoredFrom }) => [snapshot, restoredFrom]);
  const unknown = directoriesOfTries(run).filter((tried) => !known.some((one) => one && isBelow(one.path, tried)));
  for (const directory of unknown) {
    try {
      await state(directory).remove(directory);
    } catch (error) {
      log.warn('a savepoint that nobody needs was not removed', { runId: run.runId, directory, error });
    }
  }
}
