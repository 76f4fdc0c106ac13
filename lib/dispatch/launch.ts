import type { Duration, Instant } from '../core/clock.ts';
import { isDispatchError, type DispatchError } from '../core/errors.ts';
import type { Reason } from '../core/reasons.ts';
import { runOf } from '../kubernetes/cluster/owner-metadata.ts';
import { created, currentAttempt, end, updateAttempt } from '../run/machine.ts';
import { outcomeOf } from '../verdict/decide.ts';
import type { ActiveRun, Outcome, RunRecord } from '../run/record.ts';
import { afterFailure } from '../run/retry.ts';
import { cancelOf } from '../run/stop-request.ts';
import { openAttempt } from './attempt-context.ts';
import type { DispatchDeps } from './deps.ts';
import { checkRestore } from './state/check-restore.ts';
import { modeOf } from './modes/modes.ts';
import { continueNow, type Step } from './step.ts';

/** State launching: the attempt is on record, now its objects are made. Making them again finds them. */
export async function launch(record: ActiveRun, deps: DispatchDeps): Promise<Step> {
  const { job } = record;
  const attempt = currentAttempt(record);
  const now = deps.clock.now();
  const late = now - attempt.launchedAt >= job.deadlines.start;
  const asked = cancelOf(record);
  const over =
    asked === undefined ? (attempt.abortOutcome ?? (late ? overdue(record, now) : undefined)) : canceled(asked, now);
  if (over !== undefined) return giveUp(record, over, late, deps);
  // A target that cannot be opened is no fault of the request.
  const at = await openAttempt(record, deps);
  try {
    await checkRestore(record, deps);
    return continueNow(await modeOf(record).launch(at));
  } catch (error) {
    if (!isDispatchError(error) || isPassing(error, record, now)) throw error;
    const outcome = outcomeOf('failed', error.reason, error.message, now, []);
    return giveUp(updateAttempt(record, { abortOutcome: outcome }), outcome, late, deps);
  }
}

const PASSING: readonly Reason[] = [
  'ClusterUnavailable',
  'StorageUnavailable',
  'StateStorageUnavailable',
  'RegistryUnavailable',
  'Internal',
];

/** A Kubernetes that has just begun refuses what it allows a moment later, and so it is with rights that were just given. */
const RIGHTS_PATIENCE: Duration = 60_000;

/** What the same call can mend within this attempt. */
function isPassing({ reason }: DispatchError, { stepError }: RunRecord, now: Instant): boolean {
  if (reason !== 'PermissionDenied') return PASSING.includes(reason);
  return stepError?.reason !== reason || now - stepError.since < RIGHTS_PATIENCE;
}

/**
 * An earlier call may have made the cluster and seen nothing of it, and another one may still be at it. So first it is on
 * record that the program is not to begin; then the permit is withdrawn; then a cluster that is there is judged by what it
 * has done. Where Kubernetes does not answer, `late` is the end of the patience.
 */
async function giveUp(record: ActiveRun, outcome: Outcome, late: boolean, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  const begins = modeOf(record).revokeStart !== undefined;
  if (begins && currentAttempt(record).startRevokedAt === undefined) {
    return continueNow(updateAttempt(record, { startRevokedAt: now }));
  }
  try {
    if (await isMade(record, deps)) return continueNow(created(record, now));
  } catch (error) {
    if (!late) throw error;
    deps.log.warn('nobody knows what was made', { runId: record.runId, error });
    // Another attempt might be the second one.
    const message = `${outcome.message}; whether it was created is not known`;
    return continueNow(end(record, { ...outcome, state: 'unknown', message }));
  }
  return continueNow(afterFailure(record, outcome, now));
}

async function isMade(record: ActiveRun, deps: DispatchDeps): Promise<boolean> {
  const at = await openAttempt(record, deps);
  const mode = modeOf(record);
  await mode.revokeStart?.(at);
  const { kubernetes } = await mode.observe(at);
  const { deployment } = kubernetes;
  // A session is there for others, too, and an attempt that has not come to it has nothing in it.
  return deployment.state === 'present' && runOf(deployment.owner) === record.runId;
}

function canceled({ by, reason }: NonNullable<RunRecord['cancelRequested']>, now: number): Outcome {
  return outcomeOf('canceled', reason, `Canceled by ${by} while its cluster was created`, now, []);
}

function overdue(record: ActiveRun, now: number): Outcome {
  const { stepError } = record;
  const message = `The cluster could not be created within deadlines.start: ${stepError?.message ?? 'no answer'}`;
  return outcomeOf('failed', stepError?.reason ?? 'StartDeadlineExceeded', message, now, []);
}
