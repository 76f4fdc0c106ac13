import type { Duration, Instant } from '../core/clock.ts';
import { isTerminal } from '../flink/job-state.ts';
import { requireAttempt } from './machine.ts';
import type { Observation } from './observation.ts';
import type { Outcome, RunRecord } from './record.ts';
import { hasStarted, type Verdict } from './verdict.ts';

/** How long the job of an attempt that is given up may take to stop. */
export const STOP_GRACE: Duration = 30_000;

/** Whether Flink has a job of the attempt that may still finish, which another attempt would then run a second time. */
export function mayStillFinish({ rest }: Observation, record: RunRecord): boolean {
  const { jobId } = requireAttempt(record);
  return rest.state === 'answered' && rest.facts.jobs.some(({ id, state }) => id === jobId && !isTerminal(state));
}

/**
 * The verdict on an attempt that was given up for a reason of its own, and whose job is being canceled: that reason, once
 * the job has stopped; how the job ended, where it was faster. Of one that does not stop nobody knows.
 */
export function whileGivingUp(verdict: Verdict, seen: Observation, record: RunRecord, now: Instant): Verdict {
  const { givenUp } = requireAttempt(record);
  if (givenUp === undefined) return verdict;
  if (verdict.kind === 'ended') {
    const stopped = verdict.outcome.flinkState === 'CANCELED' && record.cancelRequested === undefined;
    return stopped ? { kind: 'failed', outcome: givenUp } : verdict;
  }
  const isOver = verdict.kind === 'failed' ? !mayStillFinish(seen, record) : !hasStarted({ record, seen });
  if (isOver) return { kind: 'failed', outcome: givenUp };
  if (now - givenUp.at < STOP_GRACE) return { kind: 'wait', because: 'its job is being stopped', silent: false };
  return notStopped(givenUp, record, now);
}

function notStopped(givenUp: Outcome, { job }: RunRecord, now: Instant): Verdict {
  if (job?.kind === 'streaming') return { kind: 'failed', outcome: givenUp };
  const message = `${givenUp.message}; its job did not stop when it was canceled, and may have finished since`;
  return { kind: 'ended', outcome: { ...givenUp, state: 'unknown', message, at: now } };
}
