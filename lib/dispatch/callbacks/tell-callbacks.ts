import type { Instant } from '../../core/clock.ts';
import { buildEvent } from '../../outcome/event.ts';
import type { LifecycleEvent } from '../../outcome/schema.ts';
import { dueHeartbeats, noteHeartbeat, openCallbacks, settle } from '../../run/callbacks.ts';
import type { OpenCallback, RunRecord } from '../../run/record.ts';
import type { DispatchDeps } from '../deps.ts';

type CallbackDeps = Pick<DispatchDeps, 'callbacks' | 'clock' | 'eventContext' | 'log'>;

/**
 * Answers the tasks that wait for a run that has ended, and tells those of one that goes on that it does. Trouble is noted
 * in the log and is no reason for the run to wait: what was not heard is said again at the next step. The record that is
 * returned has to be written; a crash before that says the same again.
 */
export async function tellCallbacks(record: RunRecord, deps: CallbackDeps): Promise<RunRecord> {
  // Of most runs nobody waits for the end.
  if (openCallbacks(record).length === 0) return record;
  const now = deps.clock.now();
  const event = completionOf(record, deps);
  const told = event === undefined ? dueHeartbeats(record, now) : openCallbacks(record);
  let next = record;
  for (const callback of told) next = await tell(next, callback, event, now, deps);
  return next;
}

async function tell(
  record: RunRecord,
  { id, taskToken }: OpenCallback,
  event: LifecycleEvent | undefined,
  now: Instant,
  { callbacks, log }: CallbackDeps,
): Promise<RunRecord> {
  const { runId } = record;
  try {
    const heard = await (event === undefined ? callbacks.heartbeat(taskToken) : callbacks.complete(taskToken, event));
    if (heard === 'heard' && event === undefined) return noteHeartbeat(record, id, now);
    log.info(heard === 'heard' ? 'a task was answered' : 'a task waits no longer', { runId, callback: id });
    return settle(record, id, now);
  } catch (error) {
    log.warn('a task was not told', { runId, callback: id, error });
    return record;
  }
}

/** Undefined: the run goes on. */
function completionOf(record: RunRecord, { eventContext }: CallbackDeps): LifecycleEvent | undefined {
  const event = record.events.find(({ type }) => type === 'completed');
  return event && buildEvent(record, event, eventContext);
}

/** Nobody could be told: a dead letter says so, and the run closes. */
export async function giveUpCallbacks<R extends RunRecord>(
  record: R,
  deps: CallbackDeps & Pick<DispatchDeps, 'deadLetters'>,
): Promise<R> {
  const open = openCallbacks(record);
  if (open.length === 0) return record;
  const { runId } = record;
  const now = deps.clock.now();
  const message = 'The task of a state machine that waits for this run could not be told of its end';
  const body = JSON.stringify(completionOf(record, deps) ?? { runId });
  let next = record;
  for (const { id } of open) {
    await deps.deadLetters.put({ body, source: `callback ${id} of run ${runId}`, reason: 'CallbackLost', message });
    deps.log.error('a task was never told', { runId, callback: id });
    next = settle(next, id, now);
  }
  return next;
}
