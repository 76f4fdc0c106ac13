import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { waitsForCallbacks } from '../run/callbacks.ts';
import { jobIsOver, keepUntil, removesHighAvailability } from '../run/retention/cluster-retention.ts';
import { currentAttempt, hasAttempt, toCleaning, toClosed, updateAttempt } from '../run/machine.ts';
import { MAX_WAIT, nextLook } from '../run/intervals.ts';
import type { EndedRun, HasAttempt } from '../run/record.ts';
import { openAttempt, withRun } from './attempt-context.ts';
import { archiveUnseen, isArchiveOpen } from './history/archive.ts';
import { forgetTries } from './state/forget-tries.ts';
import { withNewestState } from './state/newest-state.ts';
import type { DispatchDeps } from './deps.ts';
import { giveUpCallbacks } from './callbacks/tell-callbacks.ts';
import { releaseLock } from './lock.ts';
import { modeOf } from './modes/modes.ts';
import { continueNow, waitFor, type Step } from './step.ts';

/** State ended, once its events are published on record: the cluster's time is set. */
export function beginCleanUp(record: EndedRun, now: Instant): Step {
  const until = keepUntil(record, now);
  return continueNow({ ...toCleaning(record), ...defined({ keepUntil: until }) });
}

/** State cleaning: remove, look, and close when a look finds nothing. */
export async function cleanUp(record: EndedRun, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  if (!hasAttempt(record) || currentAttempt(record).removalVerifiedAt !== undefined) return close(record, deps);
  if (isArchiveOpen(record)) return continueNow(await archiveUnseen(record, deps));
  if (record.keepUntil !== undefined && record.keepUntil > now) {
    if (jobIsOver(record)) await releaseLock(record, deps);
    return waitFor(await keep(record, deps), Math.min(MAX_WAIT, record.keepUntil - now));
  }
  const what = { highAvailability: removesHighAvailability(record) };
  const at = await openAttempt(record, deps);
  const remains = await modeOf(record).removeAndVerify(at, what);
  if (remains.length === 0) return close(await withNewestState(withRun(at, goneNow(record, deps))), deps);
  deps.log.info('removing', { runId: record.runId, remains });
  return waitFor(record, nextLook(record, now));
}

function goneNow(record: EndedRun & HasAttempt, { clock }: DispatchDeps): EndedRun & HasAttempt {
  return updateAttempt(record, { removalVerifiedAt: clock.now() });
}

/** Once the outcome is on record. */
async function keep(record: EndedRun & HasAttempt, deps: DispatchDeps): Promise<EndedRun> {
  const { startRevokedAt = 0 } = currentAttempt(record);
  if (startRevokedAt >= record.outcome.at) return record;
  return (await modeOf(record).revokeStart?.(await openAttempt(record, deps))) ?? record;
}

/** Closed without proof: its cluster cannot be reached any more, and would be tried for ever. */
export async function abandon(record: EndedRun, deps: DispatchDeps): Promise<EndedRun> {
  deps.log.error('closed without proof that its cluster is gone', { runId: record.runId, stepError: record.stepError });
  deps.metrics?.add('RunsAbandoned', 1);
  await releaseLock(record, deps);
  return toClosed(withoutProof(await giveUpCallbacks(record, deps)));
}

/** Its job may still run, and write. */
function withoutProof(record: EndedRun): EndedRun {
  if (record.job?.state === undefined || !hasAttempt(record)) return record;
  const message = `closed without proof that its cluster is gone: ${record.stepError?.message ?? 'no reason known'}`;
  return { ...record, stateUnknown: { message } };
}

async function close(record: EndedRun, deps: DispatchDeps): Promise<Step> {
  await forgetTries(record, deps);
  await releaseLock(record, deps);
  const now = deps.clock.now();
  // Nothing but its marker stays, so that somebody comes back to try again.
  if (waitsForCallbacks(record, now)) return waitFor(record, nextLook(record, now));
  return continueNow(toClosed(await giveUpCallbacks(record, deps)));
}
