import type { RunId } from '../core/ids.ts';
import type { Reason } from '../core/reasons.ts';
import { isEnded, without } from '../run/machine.ts';
import type { DispatchDeps } from './deps.ts';

/** How often a change of the record by its own follower may get in between. */
const TRIES = 5;

/**
 * Asks a run to stop; its next look acts on it. It takes the place of a request to stop with its state. True when the request stands, false when the run has ended already or
 * is not known.
 */
export async function cancelRun(
  runId: RunId,
  request: { readonly by: string; readonly reason: Reason },
  deps: Pick<DispatchDeps, 'ledger' | 'runQueue' | 'clock'>,
): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const stored = await deps.ledger.read(runId);
    if (stored === undefined || isEnded(stored.value.state)) return false;
    if (stored.value.cancelRequested !== undefined) return true;
    const asked = { ...without(stored.value, 'stopRequested'), cancelRequested: { at: deps.clock.now(), ...request } };
    if ((await deps.ledger.replace(asked, stored.version)) === undefined) continue;
    await deps.runQueue.send({ version: 1, runId, step: asked.step.number }, 0);
    return true;
  }
  return false;
}
