import { decide, type Running, type Verdict } from '../run/decide.ts';
import { mayStillFinish } from '../run/giving-up.ts';
import { nextLook } from '../run/intervals.ts';
import { end, requireAttempt, started, updateAttempt, without } from '../run/machine.ts';
import type { Observation } from '../run/observation.ts';
import type { RunRecord } from '../run/record.ts';
import { inTimeToRenew } from '../run/renewal.ts';
import { afterFailure } from '../run/retry.ts';
import { firstJobManager } from '../run/verdict.ts';
import type { DispatchDeps } from './deps.ts';
import { keepEvidence } from './evidence.ts';
import { requireJob } from './job-of.ts';
import { modeOf, type AttemptAt } from './modes.ts';
import { goOn, waitFor, type Step } from './step.ts';

/** States starting and running: observe, decide, keep the evidence, and say what is next. */
export async function follow(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  const job = requireJob(record);
  const mode = modeOf(job);
  const target = await deps.targets(job.target);
  const seen = await mode.observe({ record, target, deps });
  const verdict = decide(seen, record, deps.clock.now());
  if (verdict.kind === 'wait') {
    const acted = await mode.act({ record: noteRunning(record, verdict.running), target, deps }, seen);
    if (acted.failed !== undefined) {
      const artifacts = await keepEvidence(acted.record, acted.failed, seen, target, deps);
      return goOn(afterFailure(updateAttempt(acted.record, { artifacts }), acted.failed, deps.clock.now()));
    }
    const next = noteSilence(acted.record, verdict, deps.clock.now());
    if (acted.again === true) return goOn(next);
    const now = deps.clock.now();
    return waitFor(next, inTimeToRenew(next, nextLook(next, now), now));
  }
  if (verdict.kind === 'failed' && requireAttempt(record).givenUp === undefined && mayStillFinish(seen, record)) {
    return goOn(updateAttempt(record, { givenUp: verdict.outcome }));
  }
  const running = verdict.kind === 'ended' ? noteRunning(record, verdict.running) : record;
  const sealed = await seal({ record: running, target, deps }, seen);
  if (sealed === undefined) return waitFor(running, nextLook(running, deps.clock.now()));
  const artifacts = await keepEvidence(sealed, verdict.outcome, seen, target, deps);
  const kept = updateAttempt(sealed, { artifacts });
  return goOn(
    verdict.kind === 'ended' ? end(kept, verdict.outcome) : afterFailure(kept, verdict.outcome, deps.clock.now()),
  );
}

/**
 * Before an attempt ends, nothing may let its program begin any more, or begin anew. `undefined` when it has begun
 * meanwhile, which the next look will judge.
 */
async function seal(at: AttemptAt, seen: Observation): Promise<RunRecord | undefined> {
  const mode = modeOf(requireJob(at.record));
  const begun = firstJobManager(seen.kubernetes) !== undefined;
  const isSealed = begun && requireAttempt(at.record).noStartSince !== undefined;
  if (mode.keep === undefined || isSealed) return at.record;
  const record = await mode.keep(at);
  if (begun) return record;
  const again = await mode.observe({ ...at, record });
  return firstJobManager(again.kubernetes) === undefined ? record : undefined;
}

function noteRunning(record: RunRecord, running: Running | undefined): RunRecord {
  if (running === undefined || record.state === 'running') return record;
  return started(record, running.at, running.jobManager);
}

/** Silence counts from its first look, and only once the job had been seen. */
function noteSilence(record: RunRecord, verdict: Extract<Verdict, { kind: 'wait' }>, now: number): RunRecord {
  if (!verdict.silent || record.state !== 'running') {
    return record.unreachableSince === undefined ? record : without(record, 'unreachableSince');
  }
  return record.unreachableSince === undefined ? { ...record, unreachableSince: now } : record;
}
