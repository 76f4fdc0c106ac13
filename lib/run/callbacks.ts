import type { Duration, Instant } from '../core/clock.ts';
import { sha256Hex } from '../core/ids.ts';
import type { Callback, OpenCallback, RunRecord } from './record.ts';

/** Step Functions begins a task anew with another token: of those of one run the newest wait. */
const MOST = 20;
const HEARTBEAT_EVERY: Duration = 30_000;
/** After the end of the run; then a dead letter says that it was never told. */
const PATIENCE: Duration = 15 * 60_000;

export function callbackOf(taskToken: string): OpenCallback {
  return { id: sha256Hex(taskToken).slice(0, 20), taskToken };
}

/** The same record where it is known. */
export function addCallback<R extends RunRecord>(run: R, taskToken: string): R {
  const { callbacks = [] } = run;
  const callback = callbackOf(taskToken);
  if (callbacks.some(({ id }) => id === callback.id)) return run;
  return { ...run, callbacks: [...callbacks, callback].slice(-MOST) };
}

export function openCallbacks({ callbacks = [] }: RunRecord): readonly OpenCallback[] {
  return callbacks.filter(isOpenCallback);
}

function isOpenCallback(callback: Callback): callback is OpenCallback {
  return 'taskToken' in callback;
}

/** Those of a run that goes on, and has not told them so for a while. */
export function dueHeartbeats(run: RunRecord, now: Instant): readonly OpenCallback[] {
  return openCallbacks(run).filter(({ heartbeatAt = run.createdAt }) => now - heartbeatAt >= HEARTBEAT_EVERY);
}

export function noteHeartbeat<R extends RunRecord>(run: R, id: string, at: Instant): R {
  return change(run, id, (callback) => ({ ...callback, heartbeatAt: at }));
}

/** Its token is kept no longer. */
export function settle<R extends RunRecord>(run: R, id: string, at: Instant): R {
  return change(run, id, () => ({ id, settledAt: at }));
}

/** Whether an ended run stays on record as live until its callbacks have their answer. */
export function waitsForCallbacks(run: RunRecord, now: Instant): boolean {
  const { outcome } = run;
  return outcome !== undefined && openCallbacks(run).length > 0 && now < outcome.at + PATIENCE;
}

function change<R extends RunRecord>(run: R, id: string, to: (callback: OpenCallback) => Callback): R {
  const { callbacks = [] } = run;
  const changed = callbacks.map((one) => (one.id === id && isOpenCallback(one) ? to(one) : one));
  return { ...run, callbacks: changed };
}
