import { beginAttempt, currentAttempt, end, hasAttempt, isEnded, toWaiting, updateAttempt } from '../run/machine.ts';
import { MAX_WAIT, nextLook } from '../run/intervals.ts';
import { isHeld } from '../run/prepared.ts';
import { cancelOf } from '../run/stop-request.ts';
import { outcomeOf } from '../verdict/decide.ts';
import type { LockState } from '../run/store/locks.ts';
import type { Instant } from '../core/clock.ts';
import type { HasAttempt, Outcome, QueuedRun, RunRecord } from '../run/record.ts';
import { isOlder } from '../trigger/s3-event.ts';
import { openAttempt, withRun } from './attempt-context.ts';
import { withNewestState } from './state/newest-state.ts';
import { afterRemoval } from '../run/after-removal.ts';
import { cancelRun } from './cancel.ts';
import type { DispatchDeps } from './deps.ts';
import { contenderOf, lockOf, releaseLock, tellNext } from './lock.ts';
import { modeOf } from './modes/modes.ts';
import { continueNow, waitFor, waitToBeTold, type Step } from './step.ts';

type Waiting = Extract<LockState, { held: false }>;

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
  const turn = await deps.locks.acquire(lock, contenderOf(record), { enqueue: policy !== 'forbid' });
  return turn.held ? continueNow(beginAttempt(record, now)) : yieldTo(turn, record, deps);
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

async function yieldTo({ holder, since }: Waiting, record: QueuedRun, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  const { concurrency } = record.job;
  const holding = await deps.ledger.read(holder);
  // A lock or a place outlives its run only when a function died between the two.
  if (holding === undefined || holding.value.state === 'closed') {
    await releaseLock(record, deps, { runId: holder, since: since ?? holding?.value.createdAt ?? 0 });
    return continueNow(record);
  }
  // The step in which it joins the line looks at the lock itself.
  if (since !== undefined && holding.value.state === 'waiting') await tellNext(holder, deps);
  const over = outcomeBeside(record, holding.value, now);
  if (over !== undefined) return continueNow(end(record, over));
  if (concurrency?.policy === 'replace' && !isEnded(holding.value.state)) {
    await cancelRun(holder, { by: `run ${record.runId}`, reason: 'ReplacedByNewerRun' }, deps);
  }
  const waits = {
    reason: 'ConcurrencyForbidden',
    message: behind(holding.value),
    since: record.waiting?.since ?? now,
    until: now,
  } as const;
  const moved = toWaiting(record, waits);
  // Who has to cancel whoever is before it looks often; others are told when it is their turn.
  return concurrency?.policy === 'replace' ? waitFor(moved, nextLook(moved, now)) : waitToBeTold(moved, MAX_WAIT);
}

/** Of a run that does not wait for the other one. */
function outcomeBeside({ job, ...record }: QueuedRun, holding: RunRecord, now: Instant): Outcome | undefined {
  const { policy } = job.concurrency ?? {};
  if (policy === 'forbid') return outcomeOf('rejected', 'ConcurrencyForbidden', behind(holding), now, []);
  if (policy !== 'replace' || !isOfOlderUpload(record, holding)) return undefined;
  const late = `An event of an older upload than that of run ${holding.runId}`;
  return outcomeOf('canceled', 'ReplacedByNewerRun', late, now, []);
}

function behind({ runId, state }: RunRecord): string {
  return `run ${runId} of the same concurrency key is ${state}`;
}

/** Events of uploads may come in another order than the uploads: S3 numbers those of one key. A run that is done again is new. */
function isOfOlderUpload(
  { source: ours, again }: Pick<QueuedRun, 'source' | 'again'>,
  { source: theirs }: RunRecord,
): boolean {
  if (again !== undefined) return false;
  if (ours.kind !== 'jar-upload' || theirs.kind !== 'jar-upload') return false;
  if (ours.bucket !== theirs.bucket || ours.key !== theirs.key) return false;
  return ours.sequencer !== undefined && theirs.sequencer !== undefined && isOlder(ours.sequencer, theirs.sequencer);
}
