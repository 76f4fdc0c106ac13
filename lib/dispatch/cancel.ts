import type { RunId } from '../core/ids.ts';
import type { Reason } from '../core/reasons.ts';
import { isEnded, without } from '../run/machine.ts';
import { changeRun } from './change-run.ts';
import type { DispatchDeps } from './deps.ts';

/**
 * Asks a run to stop; its next look acts on it. It takes the place of a request to stop with its state. True when the
 * request stands, false when the run has ended already or is not known.
 */
export async function cancelRun(
  runId: RunId,
  request: { readonly by: string; readonly reason: Reason },
  deps: Pick<DispatchDeps, 'ledger' | 'runQueue' | 'clock'>,
): Promise<boolean> {
  const asked = await changeRun(
    runId,
    (run) => {
      if (isEnded(run.state)) return undefined;
      if (run.cancelRequested !== undefined) return run;
      return { ...without(run, 'stopRequested'), cancelRequested: { at: deps.clock.now(), ...request } };
    },
    deps,
  );
  if (asked?.isNew === true) await deps.runQueue.send({ version: 1, runId, step: asked.run.step.number }, 0);
  return asked !== undefined;
}
