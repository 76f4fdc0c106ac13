import { sha256Hex, type RunId } from '../core/ids.ts';
import type { Reason } from '../core/reasons.ts';
import type { StopMode } from '../deployment/record.ts';
import { isEnded } from '../run/machine.ts';
import type { DispatchDeps } from './deps.ts';
import type { RunRecord, StopRequest } from '../run/record.ts';

export async function requestStop(
  runId: RunId,
  request: { readonly by: string; readonly reason: Reason } & Exclude<StopMode, { mode: 'cancel' }>,
  deps: Pick<DispatchDeps, 'ledger' | 'runQueue' | 'clock'>,
): Promise<boolean> {
  for (let tries = 0; tries < 5; tries += 1) {
    const stored = await deps.ledger.read(runId);
    if (stored === undefined || isEnded(stored.value.state)) return false;
    if (stored.value.stopRequested !== undefined || stored.value.cancelRequested !== undefined) return true;
    const asked = { ...stored.value, stopRequested: stopOf(stored.value, request, deps.clock.now()) };
    if ((await deps.ledger.replace(asked, stored.version)) === undefined) continue;
    await deps.runQueue.send({ version: 1, runId, step: asked.step.number }, 0);
    return true;
  }
  return false;
}

function stopOf(run: RunRecord, request: Parameters<typeof requestStop>[1], at: number): StopRequest {
  const { by, reason } = request;
  if (request.mode === 'last-state') return { at, by, reason, mode: 'last-state' };
  const triggerId = sha256Hex(`savepoint\n${run.runId}\n${run.attempts.length}\n1`).slice(0, 32);
  const directory = `${request.directory}/${run.deployment?.id ?? run.runId}/${run.runId}-1`;
  const savepoint = { ordinal: 1, triggerId, directory, format: request.format, drain: false };
  return { at, by, reason, mode: 'savepoint', savepoint, until: request.until, fallback: request.fallback };
}
