import type { Duration, Instant } from '../core/clock.ts';
import { isTerminal } from '../flink/job-state.ts';
import { seconds } from './facts.ts';
import { haveEnded, jobsOf } from './jobs.ts';
import { isEndless, looksEndless } from './kind.ts';
import type { Observation } from './observation.ts';
import type { Rule } from './rule.ts';
import type { Outcome, ActiveRun } from '../run/record.ts';
import { hasStarted, notAgain, type RuledVerdict, type Verdict } from './verdict.ts';
import { cancelOf } from '../run/stop-request.ts';

/** How long the job of an attempt that is given up may take to stop. */
export const STOP_GRACE: Duration = 30_000;

/** Whether Flink has a job of the attempt that may still finish, which another attempt would then run a second time. */
export function mayStillFinish(observation: Observation, record: ActiveRun): boolean {
  return jobsOf(observation, record).some(({ state }) => !isTerminal(state));
}

/** An attempt that was given up for a reason of its own, and whose job is being canceled. */
export interface AbortInput {
  readonly record: ActiveRun;
  readonly observation: Observation;
  readonly now: Instant;
  readonly abortOutcome: Outcome;
  /** What the rules of its mode say of it. */
  readonly verdict: RuledVerdict;
}

/**
 * Where none of them holds, the job was faster than the request to cancel it: the verdict of the mode's rules stands.
 */
export const ABORT_RULES: readonly Rule<AbortInput>[] = [
  {
    name: 'aborted-job-stopped',
    description:
      'The job of the attempt that was given up has stopped, or is gone: the attempt fails for the reason on record',
    facts: ({ verdict, observation, record }) =>
      `the rules of the mode: ${verdict.kind} by ${verdict.rule}; a job that may still finish: ${yes(mayStillFinish(observation, record))}`,
    judge: (input) => (hasStopped(input) ? stopped(input) : undefined),
  },
  {
    name: 'aborted-job-stopping',
    description: `The job may take ${STOP_GRACE / 1000} s to stop`,
    facts: stopFact,
    judge: ({ verdict, now, abortOutcome }) =>
      verdict.kind !== 'ended' && now - abortOutcome.at < STOP_GRACE
        ? { kind: 'wait', because: 'its job is being stopped', unreachable: false }
        : undefined,
  },
  {
    name: 'aborted-job-not-stopped',
    description: 'The job did not stop in time: a streaming job has failed, of any other nobody knows the outcome',
    facts: stopFact,
    judge: (input) => (input.verdict.kind === 'ended' ? undefined : notStopped(input)),
  },
];

function hasStopped({ verdict, observation, record }: AbortInput): boolean {
  switch (verdict.kind) {
    case 'ended':
      return verdict.outcome.flinkState === 'CANCELED' && cancelOf(record) === undefined;
    case 'failed':
      return !mayStillFinish(observation, record);
    case 'wait':
      // What main() does after them ends with the attempt's cluster.
      return !hasStarted({ record, observation }) || haveEnded(jobsOf(observation, record));
  }
}

/** Of several jobs one may have finished before the others were stopped. */
function stopped({ observation, record, abortOutcome }: AbortInput): Verdict {
  const hasFinished = jobsOf(observation, record).some(({ state }) => state === 'FINISHED');
  return notAgain({ kind: 'failed', outcome: abortOutcome }, hasFinished, record);
}

function stopFact({ verdict, now, abortOutcome }: AbortInput): string {
  if (verdict.kind === 'ended') return `the job ended before it was stopped, by ${verdict.rule}`;
  return `given up for ${abortOutcome.reason}; ${seconds(STOP_GRACE)} to stop: ${seconds(now - abortOutcome.at)} used`;
}

function yes(holds: boolean): string {
  return holds ? 'yes' : 'no';
}

function notStopped({ abortOutcome, record, now }: AbortInput): Verdict {
  if (isEndless(record)) return { kind: 'failed', outcome: abortOutcome };
  const message = `${abortOutcome.message}; its job did not stop when it was canceled, and may have finished since${looksEndless(record)}`;
  return { kind: 'ended', outcome: { ...abortOutcome, state: 'unknown', message, at: now } };
}
