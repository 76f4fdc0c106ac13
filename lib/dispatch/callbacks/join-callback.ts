import { DispatchError } from '../../core/errors.ts';
import type { DispatchConfig } from '../../job/config/dispatch-config.ts';
import { allowsTaskTokens } from '../../job/config/tenants.ts';
import type { ResolvedJob } from '../../job/job.ts';
import { addCallback, callbackOf, openCallbacks } from '../../run/callbacks.ts';
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
 * is closed: its task is answered at once, and nothing is written.
 * @throws DispatchError that is retryable
 */
export async function joinCallback({ runId }: RunRecord, request: RunRequest, deps: CallbackDeps): Promise<void> {
  const { taskToken } = request;
  if (taskToken === undefined || callbacksOf(request, deps) === undefined) return;
  const join = (known: RunRecord): RunRecord => (known.state === 'closed' ? known : addCallback(known, taskToken));
  const joined = await changeRun(runId, join, deps);
  if (joined === undefined)
    throw new DispatchError('StorageUnavailable', `run ${runId} was changed by others each time`);
  if (joined.run.state === 'closed') await answerNow(joined.run, taskToken, deps);
}

async function answerNow(run: RunRecord, taskToken: string, deps: CallbackDeps): Promise<void> {
  const callback = callbackOf(taskToken);
  if (run.callbacks?.some(({ id }) => id === callback.id) === true) return;
  const told = await tellCallbacks({ ...run, callbacks: [callback] }, deps);
  if (openCallbacks(told).length > 0)
    throw new DispatchError(
      'StorageUnavailable',
      `a task that waits for run ${run.runId} could not be told of its end`,
    );
}
