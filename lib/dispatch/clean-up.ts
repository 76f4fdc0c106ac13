import type { Instant } from '../core/clock.ts';
import { jobIsOver, keepUntil, removesHighAvailability } from '../cleanup/policy.ts';
import { currentAttempt, moveTo, requireAttempt, updateAttempt } from '../run/machine.ts';
import { MAX_WAIT, nextLook } from '../run/intervals.ts';
import type { RunRecord } from '../run/record.ts';
import type { DispatchDeps } from './deps.ts';
import { requireJob } from './job-of.ts';
import { modeOf } from './modes.ts';
import { goOn, waitFor, type Step } from './step.ts';

/** State ended, once its events are published on record: the cluster's time is set. */
export function beginCleanUp(record: RunRecord, now: Instant): Step {
  const until = keepUntil(record, now);
  return goOn({ ...moveTo(record, 'cleaning'), ...(until === undefined ? {} : { keepUntil: until }) });
}

/** State cleaning: remove, look, and close when a look finds nothing. */
export async function cleanUp(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  const now = deps.clock.now();
  const attempt = currentAttempt(record);
  if (attempt === undefined || attempt.goneAt !== undefined) return close(record, deps);
  if (record.keepUntil !== undefined && record.keepUntil > now) {
    if (jobIsOver(record)) await releaseLock(record, deps);
    return waitFor(await keep(record, deps), Math.min(MAX_WAIT, record.keepUntil - now));
  }
  const job = requireJob(record);
  const target = await deps.targets(job.target);
  const what = { highAvailability: removesHighAvailability(record) };
  const remains = await modeOf(job).removeAndProve({ record, target, deps }, what);
  if (remains.length === 0) return close(updateAttempt(record, { goneAt: deps.clock.now() }), deps);
  deps.log.info('removing', { runId: record.runId, remains });
  return waitFor(record, nextLook(record, now));
}

/** Once the outcome is on record. */
async function keep(record: RunRecord, deps: DispatchDeps): Promise<RunRecord> {
  const job = requireJob(record);
  const { noStartSince = 0 } = requireAttempt(record);
  if (noStartSince >= (record.outcome?.at ?? Infinity)) return record;
  const target = await deps.targets(job.target);
  return (await modeOf(job).keep?.({ record, target, deps })) ?? record;
}

async function close(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  await releaseLock(record, deps);
  return goOn(moveTo(record, 'closed'));
}

async function releaseLock(record: RunRecord, deps: DispatchDeps): Promise<void> {
  const key = record.job?.concurrency?.key;
  if (key !== undefined) await deps.locks.release(key, record.runId);
}
