import type { Duration } from '../core/clock.ts';
import type { Outcome } from '../run/record.ts';
import { cancelFact, jobFact, logFact } from './facts.ts';
import { jobOutcome, outcomeFromLastWords } from './job-outcome.ts';
import { CANCEL_REQUESTED, type Rule } from './rule.ts';
import { outcomeOf, type DecisionInput, type Verdict } from './verdict.ts';
import { cancelOf } from '../run/stop-request.ts';

/** How long a job may take to follow a request to cancel before the run ends without it. */
export const CANCEL_GRACE: Duration = 30_000;

export const jobTerminal: Rule = {
  name: 'job-terminal',
  description: 'Flink says that the job is FINISHED, FAILED or CANCELED: the run has that outcome',
  facts: jobFact,
  judge: terminalJob,
};

function terminalJob(input: DecisionInput): Verdict | undefined {
  const { job, observation, now, attempt } = input;
  if (job === undefined) return undefined;
  const result = observation.rest.state === 'answered' ? observation.rest.result : undefined;
  const terminal = jobOutcome(job, { result, finding: undefined, log: '' }, now);
  if (terminal === undefined) return undefined;
  const outcome = withCanceler(terminal, input);
  return { kind: 'ended', outcome, ...(attempt.runningAt === undefined ? { running: { at: job.startTime } } : {}) };
}

/** Flink knows that a job was canceled; who asked for it is on record. */
export function withCanceler(outcome: Outcome, { record }: DecisionInput): Outcome {
  const asked = cancelOf(record);
  if (outcome.state !== 'canceled' || asked === undefined) return outcome;
  return { ...outcome, reason: asked.reason, message: `The job was canceled by ${asked.by}` };
}

/** A session's JobManager would take it again. */
export const terminalStateInLog: Rule = {
  name: 'terminal-state-in-log',
  description: "The JobManager answers without the job, and its log has the job's terminal state",
  facts: (input) => `${jobFact(input)}; ${logFact(input)}`,
  judge({ observation, job, attempt, now }) {
    if (observation.rest.state !== 'answered' || job !== undefined) return undefined;
    const outcome = outcomeFromLastWords(observation.jobManagerLog?.text ?? '', attempt.jobId, now);
    return outcome === undefined ? undefined : { kind: 'ended', outcome };
  },
};

/** `how`: what becomes of the job, which has not stopped. */
export function cancelTimeout(how: string): Rule {
  return {
    name: 'cancel-timeout',
    description: `The job did not stop within ${CANCEL_GRACE / 1000} s of the request to cancel: the run ends as canceled`,
    when: CANCEL_REQUESTED,
    facts: cancelFact,
    judge(input) {
      const asked = cancelOf(input.record);
      if (asked === undefined || input.now - asked.at < CANCEL_GRACE) return undefined;
      return { kind: 'ended', outcome: cancelOutcome(input, `it did not stop in time, ${how}`) };
    },
  };
}

export function cancelOutcome({ record, now }: DecisionInput, how: string): Outcome {
  const { by = 'request', reason = 'JobCanceled' as const } = cancelOf(record) ?? {};
  return outcomeOf('canceled', reason, `Canceled by ${by}: ${how}`, now, []);
}

/** The last row of every table. */
export function noEndSeen(judge: (input: DecisionInput) => Verdict): Rule {
  return { name: 'no-end-seen', description: 'No rule above holds: the run goes on', facts: jobFact, judge };
}
