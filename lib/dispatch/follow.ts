import { describeError } from '../core/errors.ts';
import { decide, type Running, type Verdict } from '../run/decide.ts';
import { nextLook } from '../run/intervals.ts';
import { end, requireAttempt, started, updateAttempt, without } from '../run/machine.ts';
import type { Observation } from '../run/observation.ts';
import type { RunRecord } from '../run/record.ts';
import { afterFailure } from '../run/retry.ts';
import type { DispatchDeps } from './deps.ts';
import { keepEvidence } from './evidence.ts';
import { clusterOf, requireJob } from './job-of.ts';
import { observe } from './observe.ts';
import { goOn, waitFor, type Step } from './step.ts';
import type { Target } from './targets.ts';

/** States starting and running: observe, decide, keep the evidence, and say what is next. */
export async function follow(record: RunRecord, deps: DispatchDeps): Promise<Step> {
  const target = await deps.targets(requireJob(record).target);
  const seen = await observe(target, clusterOf(record), requireAttempt(record).jobId, deps.clock);
  const verdict = decide(seen, record, deps.clock.now());
  if (verdict.kind === 'wait') {
    await passOnCancel(record, seen, target, deps);
    const next = noteSilence(noteRunning(record, verdict.running), verdict, deps.clock.now());
    return waitFor(next, nextLook(next, deps.clock.now()));
  }
  const running = verdict.kind === 'ended' ? noteRunning(record, verdict.running) : record;
  const artifacts = await keepEvidence(running, verdict.outcome, seen, target, deps);
  const kept = updateAttempt(running, { artifacts });
  return goOn(
    verdict.kind === 'ended' ? end(kept, verdict.outcome) : afterFailure(kept, verdict.outcome, deps.clock.now()),
  );
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

/** Asking again does no harm; a JobManager that does not hear it loses its cluster when the grace is over. */
async function passOnCancel(record: RunRecord, seen: Observation, target: Target, deps: DispatchDeps): Promise<void> {
  const { jobId } = requireAttempt(record);
  if (record.cancelRequested === undefined || seen.rest.state !== 'answered') return;
  if (!seen.rest.facts.jobs.some((job) => job.id === jobId)) return;
  try {
    await target.jobManager(clusterOf(record)).cancel(jobId);
  } catch (error) {
    deps.log.warn('cancel was not taken', { runId: record.runId, error: describeError(error) });
  }
}
