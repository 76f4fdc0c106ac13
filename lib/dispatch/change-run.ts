import type { RunId } from '../core/ids.ts';
import type { RunRecord } from '../run/record.ts';
import type { DispatchDeps } from './deps.ts';

/** How often a change of the record by its own follower may get in between. */
const TRIES = 5;

/**
 * Changes a run's record from outside. `change` answers the record to write, the same one where there is nothing to change,
 * and undefined where nothing may be changed any more. Answers what stands then; undefined when the run is not known, or may
 * not be changed, or was changed by others each time.
 */
export async function changeRun(
  runId: RunId,
  change: (run: RunRecord) => RunRecord | undefined,
  { ledger }: Pick<DispatchDeps, 'ledger'>,
): Promise<{ readonly run: RunRecord; readonly isNew: boolean } | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const stored = await ledger.read(runId);
    const run = stored && change(stored.value);
    if (stored === undefined || run === undefined) return undefined;
    if (run === stored.value) return { run, isNew: false };
    if ((await ledger.replace(run, stored.version)) !== undefined) return { run, isNew: true };
  }
  return undefined;
}
