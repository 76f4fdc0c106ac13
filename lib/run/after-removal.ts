import type { Instant } from '../core/clock.ts';
import { isBelow } from '../state/storage.ts';
import { currentAttempt, end, toWaiting } from './machine.ts';
import type { EndedRun, HasAttempt, Outcome, QueuedRun } from './record.ts';
import { retryWait } from './retry.ts';
import { directoriesOfTries, savepointStop, type SavepointStop } from './stop-request.ts';

/**
 * What becomes of a stream whose attempt has failed and is gone, now that it is known what it left. Another attempt is never
 * begun from an older state than the newest, and none where a stop has what it wanted.
 */
export function afterRemoval(run: QueuedRun & HasAttempt, now: Instant): QueuedRun | EndedRun {
  const { job, stateUnknown } = run;
  if (job.state === undefined) return run;
  const failed = currentAttempt(run).outcome;
  if (stateUnknown !== undefined && job.state.upgradeMode !== 'stateless') {
    const message = `${failed?.message ?? 'The attempt failed'}; its newest state is not known: ${stateUnknown.message}`;
    return end(run, { ...outcome('failed', 'StateUnknown', message, now), evidence: failed?.evidence ?? [] });
  }
  const stop = savepointStop(run);
  return stop === undefined ? run : afterStop(run, stop, now);
}

/** Its job was lost while it was to stop with a savepoint. */
function afterStop(run: QueuedRun & HasAttempt, stop: SavepointStop, now: Instant): QueuedRun | EndedRun {
  const { snapshot, outcome: failed } = currentAttempt(run);
  if (snapshot?.kind === 'savepoint' && directoriesOfTries(run).some((tried) => isBelow(snapshot.path, tried))) {
    const lost = failed === undefined ? '' : `; then it was lost: ${failed.message}`;
    const message = `The job was stopped by ${stop.by} with savepoint ${snapshot.path}${lost}`;
    const evidence = [`complete savepoint ${snapshot.path}`];
    return end(run, { ...outcome('succeeded', 'StoppedWithSavepoint', message, now), evidence });
  }
  if (stop.fallback === 'last-state') {
    const message = `Canceled by ${stop.by}: it was lost before its savepoint was complete, so its newest checkpoint is taken`;
    return end(run, outcome('canceled', stop.reason, message, now));
  }
  if (failed === undefined) return run;
  const wait = retryWait(run, failed);
  if (wait === undefined) return end(run, failed);
  const { reason, message } = failed;
  return toWaiting(run, { reason, message, since: failed.at, until: now + wait });
}

function outcome(state: Outcome['state'], reason: Outcome['reason'], message: string, at: Instant): Outcome {
  return { state, reason, message, at, evidence: [], rule: 'attempt-gone' };
}
