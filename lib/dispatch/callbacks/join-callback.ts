import { DispatchError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { DispatchConfig } from '../../job/config/dispatch-config.ts';
import { allowsTaskTokens } from '../../job/config/tenants.ts';
import type { ResolvedJob } from '../../job/job.ts';
import { addCallback, callbackOf, openCallbacks, settle } from '../../run/callbacks.ts';
import type { Callback, RunRecord } from '../../run/record.ts';
import type { RunRequest } from '../../trigger/request.ts';
import type { DispatchDeps } from '../deps.ts';
import { tellCallbacks } from './tell-callbacks.ts';
import { changeRun } from '../change-run.ts';
import { isStream } from '../deployment/accept-deployment.ts';

type CallbackDeps = Pick<DispatchDeps, 'ledger' | 'callbacks' | 'eventContext' | 'clock' | 'log'> & {
  readonly prepare: { readonly deployment: DispatchConfig };
};

/** The task that waits for the run; undefined where there is none, and where the request may not name one. */
export function callbacksOf(request: RunRequest, { prepare }: CallbackDeps): readonly Callback[] | undefined {
  const { taskToken } = request;
  return taskToken === undefined || !allowsTaskTokens(request, prepare.deployment)
    ? undefined
    : [callbackOf(taskToken)];
}

/** @throws DispatchError `NotAllowed`, or `InvalidSpec` for a task that would wait for ever */
export function checkTaskToken(job: ResolvedJob, request: RunRequest, { prepare }: CallbackDeps): void {
  if (request.taskToken === undefined) return;
  const field = 'taskToken';
  if (!allowsTaskTokens(request, prepare.deployment))
    throw new DispatchError('NotAllowed', 'tasks of Step Functions are not allowed (allow.taskTokens)', { field });
  if (!isStream(job)) return;
  const fix = 'leave it out, or set job.kind to batch for a job that ends';
  throw new DispatchError('InvalidSpec', `taskToken waits for an end, and a stream has none: ${fix}`, { field });
}

/**
 * The same request again, by another task: Step Functions begins one anew with another token. Nobody comes back to a run that
 * is closed, so that it is answered at once.
 * @throws DispatchError that is retryable
 */
export async function joinCallback({ runId }: RunRecord, request: RunRequest, deps: CallbackDeps): Promise<void> {
  const { taskToken } = request;
  if (taskToken === undefined || callbacksOf(request, deps) === undefined) return;
  const { run } = await changed(runId, (known) => addCallback(known, taskToken), deps);
  if (run.state !== 'closed' || openCallbacks(run).length === 0) return;
  const told = await tellCallbacks(run, deps);
  const ids = openCallbacks(run).filter(({ id }) => !openCallbacks(told).some((left) => left.id === id));
  await changed(runId, (known) => ids.reduce((next, { id }) => settle(next, id, deps.clock.now()), known), deps);
  if (openCallbacks(told).length > 0)
    throw new DispatchError('StorageUnavailable', `tasks that wait for run ${runId} could not be told of its end`);
}

async function changed(
  runId: RunId,
  change: (run: RunRecord) => RunRecord,
  deps: CallbackDeps,
): Promise<{ readonly run: RunRecord }> {
  const done = await changeRun(runId, change, deps);
  if (done !== undefined) return done;
  throw new DispatchError('StorageUnavailable', `run ${runId} was changed by others each time`);
}
