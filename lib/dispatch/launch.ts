import type { Duration, Instant } from '../core/clock.ts';
import { describeError, isDispatchError, type DispatchError } from '../core/errors.ts';
import type { Reason } from '../core/reasons.ts';
import { created, end, requireAttempt, updateAttempt } from '../run/machine.ts';
import { outcomeOf } from '../run/decide.ts';
import type { Outcome, RunRecord } from '../run/record.ts';
import { afterFailure } from '../run/retry.ts';
import type { DispatchDeps } from './deps.ts';
import { requireJob } from './job-of.ts';
import { modeOf } from './modes.ts';
import { goOn, type Step } from './step.ts';

/** State launching: the attempt is on record, now its objects are made. Making them again finds them. */
export async function launch(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  const job = requireJob(record);
  const attempt = requireAttempt(record);
  const now = deps.clock.now();
  const late = now - attempt.launchedAt >= job.deadlines.start;
  const asked = record.cancelRequested;
  const over =
    asked === undefined ? (attempt.givenUp ?? (late ? overdue(record, now) : undefined)) : canceled(asked, now);
  if (over !== undefined) return giveUp(record, over, late, deps);
  // A target that cannot be opened is no fault of the request.
  const target = await deps.targets(job.target);
  try {
    return goOn(await modeOf(job).launch({ record, target, deps }));
  } catch (error) {
    if (!isDispatchError(error) || isPassing(error, record, now)) throw error;
    const outcome = outcomeOf('failed', error.reason, error.message, now, []);
    return giveUp(updateAttempt(record, { givenUp: outcome }), outcome, late, deps);
  }
}

const PASSING: readonly Reason[] = ['ClusterUnavailable', 'StorageUnavailable', 'RegistryUnavailable', 'Internal'];

/** A Kubernetes that has just begun refuses what it allows a moment later, and so it is with rights that were just given. */
const RIGHTS_PATIENCE: Duration = 60_000;

/** What the same call can mend within this attempt. */
function isPassing({ reason }: DispatchError, { trouble }: RunRecord, now: Instant): boolean {
  if (reason !== 'PermissionDenied') return PASSING.includes(reason);
  return trouble?.reason !== reason || now - trouble.since < RIGHTS_PATIENCE;
}

/**
 * An earlier call may have made the cluster and seen nothing of it, and another one may still be at it. So first it is on
 * record that the program is not to begin; then the permit is withdrawn; then a cluster that is there is judged by what it
 * has done. Where Kubernetes does not answer, `late` is the end of the patience.
 */
async function giveUp(record: RunRecord, outcome: Outcome, late: boolean, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  const begins = modeOf(requireJob(record)).keep !== undefined;
  if (begins && requireAttempt(record).noStartSince === undefined) {
    return goOn(updateAttempt(record, { noStartSince: now }));
  }
  try {
    if (await isMade(record, deps)) return goOn(created(record, now));
  } catch (error) {
    if (!late) throw error;
    deps.log.warn('nobody knows what was made', { runId: record.runId, error: describeError(error) });
    // Another attempt might be the second one.
    const message = `${outcome.message}; whether it was created is not known`;
    return goOn(end(record, { ...outcome, state: 'unknown', message }));
  }
  return goOn(afterFailure(record, outcome, now));
}

async function isMade(record: RunRecord, deps: DispatchDeps): Promise<boolean> {
  const job = requireJob(record);
  const at = { record, target: await deps.targets(job.target), deps };
  const mode = modeOf(job);
  await mode.keep?.(at);
  const { kubernetes } = await mode.observe(at);
  const { deployment } = kubernetes;
  // A session is there for others, too, and an attempt that has not come to it has nothing in it.
  return deployment.state === 'present' && deployment.runId === record.runId;
}

function canceled({ by, reason }: NonNullable<RunRecord['cancelRequested']>, now: number): Outcome {
  return outcomeOf('canceled', reason, `Canceled by ${by} while its cluster was created`, now, []);
}

function overdue(record: RunRecord, now: number): Outcome {
  const { trouble } = record;
  const message = `The cluster could not be created within deadlines.start: ${trouble?.message ?? 'no answer'}`;
  return outcomeOf('failed', trouble?.reason ?? 'StartDeadlineExceeded', message, now, []);
}
