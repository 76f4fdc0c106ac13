import { beginAttempt, currentAttempt, end, hasAttempt, isEnded, toWaiting, updateAttempt } from '../run/machine.ts';
import { nextLook } from '../run/intervals.ts';
import { isHeld } from '../run/prepared.ts';
import { cancelOf } from '../run/stop-request.ts';
import { outcomeOf } from '../verdict/decide.ts';
import type { RunId } from '../core/ids.ts';
import type { HasAttempt, QueuedRun, RunRecord } from '../run/record.ts';
import { isOlder } from '../trigger/s3-event.ts';
import { openAttempt, withRun } from './attempt-context.ts';
import { withNewestState } from './state/newest-state.ts';
import { afterRemoval } from '../run/after-removal.ts';
import { cancelRun } from './cancel.ts';
import type { DispatchDeps } from './deps.ts';
import { lockOf, releaseLock } from './lock.ts';
import { modeOf } from './modes/modes.ts';
import { continueNow, waitFor, type Step } from './step.ts';

/** States accepted and waiting: until the last attempt is proven gone, its back-off is over and the run has its turn. */
export async function acquireLock(record: QueuedRun, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  if (hasAttempt(record) && currentAttempt(record).removalVerifiedAt === undefined) return retireAttempt(record, deps);
  const asked = cancelOf(record);
  if (asked !== undefined) {
    return continueNow(
      end(record, outcomeOf('canceled', asked.reason, `Canceled by ${asked.by} before it was launched`, now, [])),
    );
  }
  if (record.waiting !== undefined && record.waiting.until > now) return waitFor(record, record.waiting.until - now);
  // Its program waits for the permit, and the permit for the turn of the run before it.
  if (isHeld(record)) return continueNow(beginAttempt(record, now));
  const { policy = 'allow' } = record.job.concurrency ?? {};
  const lock = lockOf(record);
  if (lock === undefined || policy === 'allow') return continueNow(beginAttempt(record, now));
  const turn = await deps.locks.acquire(lock, record.runId, { enqueue: policy !== 'forbid' });
  return turn.held ? continueNow(beginAttempt(record, now)) : yieldTo(turn.holder, record, deps);
}

/** The next attempt starts only when nothing of the last one is left. */
async function retireAttempt(record: QueuedRun & HasAttempt, deps: DispatchDeps): Promise<Step> {
  const at = await openAttempt(record, deps);
  const remains = await modeOf(record).removeAndVerify(at, { highAvailability: true });
  if (remains.length > 0) return waitFor(record, Math.min(2_000, nextLook(record, deps.clock.now())));
  const now = deps.clock.now();
  const gone = updateAttempt(record, { removalVerifiedAt: now });
  return continueNow(afterRemoval(await withNewestState(withRun(at, gone)), now));
}

async function yieldTo(holder: RunId, record: QueuedRun, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  const { concurrency } = record.job;
  const holding = await deps.ledger.read(holder);
  // A lock outlives its run only when a function died between the two.
  if (holding === undefined || holding.value.state === 'closed') {
    await releaseLock(record, deps, holder);
    return continueNow(record);
  }
  const message = `run ${holder} of the same concurrency key is ${holding.value.state}`;
  if (concurrency?.policy === 'forbid') {
    return continueNow(end(record, outcomeOf('rejected', 'ConcurrencyForbidden', message, now, [])));
  }
  if (concurrency?.policy === 'replace' && isOfOlderUpload(record, holding.value)) {
    const late = `An event of an older upload than that of run ${holder}`;
    return continueNow(end(record, outcomeOf('canceled', 'ReplacedByNewerRun', late, now, [])));
  }
  if (concurrency?.policy === 'replace' && !isEnded(holding.value.state)) {
    await cancelRun(holder, { by: `run ${record.runId}`, reason: 'ReplacedByNewerRun' }, deps);
  }
  const since = record.waiting?.since ?? now;
  const moved = toWaiting(record, { reason: 'ConcurrencyForbidden', message, since, until: now });
  return waitFor(moved, nextLook(moved, now));
}

/** Events of uploads may come in another order than the uploads: S3 numbers those of one key. */
function isOfOlderUpload({ source: ours }: QueuedRun, { source: theirs }: RunRecord): boolean {
  if (ours.kind !== 'jar-upload' || theirs.kind !== 'jar-upload') return false;
  if (ours.bucket !== theirs.bucket || ours.key !== theirs.key) return false;
  return ours.sequencer !== undefined && theirs.sequencer !== undefined && isOlder(ours.sequencer, theirs.sequencer);
}
