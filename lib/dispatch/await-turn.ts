import { beginAttempt, currentAttempt, end, isEnded, moveTo, updateAttempt } from '../run/machine.ts';
import { nextLook } from '../run/intervals.ts';
import { outcomeOf } from '../run/decide.ts';
import type { RunId } from '../core/ids.ts';
import type { RunRecord } from '../run/record.ts';
import { cancelRun } from './cancel.ts';
import type { DispatchDeps } from './deps.ts';
import { requireJob } from './job-of.ts';
import { modeOf } from './modes.ts';
import { goOn, waitFor, type Step } from './step.ts';

/** States accepted and waiting: until the last attempt is proven gone, its back-off is over and the run has its turn. */
export async function awaitTurn(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  const last = currentAttempt(record);
  if (last !== undefined && last.goneAt === undefined) return retireAttempt(record, deps);
  const asked = record.cancelRequested;
  if (asked !== undefined) {
    return goOn(
      end(record, outcomeOf('canceled', asked.reason, `Canceled by ${asked.by} before it was launched`, now, [])),
    );
  }
  if (record.waiting !== undefined && record.waiting.until > now) return waitFor(record, record.waiting.until - now);
  const concurrency = record.job?.concurrency;
  if (concurrency === undefined || concurrency.policy === 'allow') return goOn(beginAttempt(record, now));
  const turn = await deps.locks.acquire(concurrency.key, record.runId, concurrency.policy !== 'forbid');
  return turn.held ? goOn(beginAttempt(record, now)) : yieldTo(turn.holder, record, deps);
}

/** The next attempt starts only when nothing of the last one is left. */
async function retireAttempt(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  const job = requireJob(record);
  const target = await deps.targets(job.target);
  const remains = await modeOf(job).removeAndProve({ record, target, deps }, { highAvailability: true });
  if (remains.length > 0) return waitFor(record, Math.min(2_000, nextLook(record, deps.clock.now())));
  return goOn(updateAttempt(record, { goneAt: deps.clock.now() }));
}

async function yieldTo(holder: RunId, record: RunRecord, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  const concurrency = record.job?.concurrency;
  const holding = await deps.ledger.read(holder);
  // A lock outlives its run only when a function died between the two.
  if (holding === undefined || holding.value.state === 'closed') {
    if (concurrency !== undefined) await deps.locks.release(concurrency.key, holder);
    return goOn(record);
  }
  const message = `run ${holder} of the same concurrency key is ${holding.value.state}`;
  if (concurrency?.policy === 'forbid') {
    return goOn(end(record, outcomeOf('rejected', 'ConcurrencyForbidden', message, now, [])));
  }
  if (concurrency?.policy === 'replace' && !isEnded(holding.value.state)) {
    await cancelRun(holder, { by: `run ${record.runId}`, reason: 'ReplacedByNewerRun' }, deps);
  }
  const since = record.waiting?.since ?? now;
  const waiting = { ...record, waiting: { reason: 'ConcurrencyForbidden' as const, message, since, until: now } };
  const moved = record.state === 'waiting' ? waiting : moveTo(waiting, 'waiting');
  return waitFor(moved, nextLook(moved, now));
}
