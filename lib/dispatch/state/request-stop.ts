import type { Duration } from '../../core/clock.ts';
import { DispatchError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { Reason } from '../../core/reasons.ts';
import type { StatePlan } from '../../job/job.ts';
import { currentAttempt, isEnded, isOpen } from '../../run/machine.ts';
import type { RunRecord, StopRequest } from '../../run/record.ts';
import { savepointTry } from '../../run/stop-request.ts';
import type { SavepointFormat } from '../../state/snapshot.ts';
import { changeRun } from '../change-run.ts';
import type { DispatchDeps } from '../deps.ts';

/** Who wants a stream to stop, and how; what is left out is as its job says. */
export type StopOrder = { readonly by: string; readonly reason: Reason } & (
  | { readonly mode: 'last-state' }
  | {
      readonly mode: 'savepoint';
      readonly format?: SavepointFormat;
      readonly drain?: boolean;
      readonly fallback?: StatePlan['fallback'];
      readonly deadline?: Duration;
    }
);

/**
 * Asks a stream to stop so that its state is kept; its looks carry it out. The first request stands. What has no JobManager
 * yet has nothing to keep, and is canceled. True when a request stands, false when the run has ended already, is not known,
 * or is no stream.
 * @throws DispatchError `InvalidSpec` for a savepoint without a directory for it
 */
export async function requestStop(
  runId: RunId,
  order: StopOrder,
  deps: Pick<DispatchDeps, 'ledger' | 'runQueue' | 'clock'>,
): Promise<boolean> {
  const asked = await changeRun(
    runId,
    (run) => {
      if (isEnded(run.state) || run.job?.state === undefined) return undefined;
      return withRequest(run, order, deps.clock.now());
    },
    deps,
  );
  if (asked !== undefined) await deps.runQueue.send({ version: 1, runId, step: asked.run.step.number }, 0);
  return asked !== undefined;
}

function withRequest(run: RunRecord, order: StopOrder, now: number): RunRecord {
  if (run.cancelRequested !== undefined || run.stopRequested !== undefined || !isOpen(run)) return run;
  const { by, reason } = order;
  if (!hasJobManager(run)) return { ...run, cancelRequested: { at: now, by, reason } };
  if (order.mode === 'last-state') return { ...run, stopRequested: { mode: 'last-state', at: now, by, reason } };
  const ordinal = (run.stopTries ?? 0) + 1;
  return { ...run, stopRequested: savepointRequest(run, order, ordinal, now), stopTries: ordinal };
}

function hasJobManager(run: RunRecord): boolean {
  return run.state === 'running' || (run.state === 'starting' && currentAttempt(run)?.jobManager !== undefined);
}

function savepointRequest(
  run: RunRecord,
  order: Extract<StopOrder, { mode: 'savepoint' }>,
  ordinal: number,
  now: number,
): StopRequest {
  const plan = run.job?.state;
  if (plan?.savepointDirectory === undefined) {
    const message = 'execution.checkpointing.savepoint-dir is missing: a stop with a savepoint needs a place for it';
    throw new DispatchError('InvalidSpec', message, { field: 'execution.checkpointing.savepoint-dir' });
  }
  const { by, reason, format = plan.format, drain = false, fallback = plan.fallback } = order;
  const until = now + (order.deadline ?? plan.savepointDeadline);
  return {
    mode: 'savepoint',
    at: now,
    by,
    reason,
    savepoint: savepointTry(run, ordinal, { format, drain }),
    until,
    fallback,
  };
}
