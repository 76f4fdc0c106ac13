import type { Duration, Instant } from '../core/clock.ts';
import type { Finding } from '../diagnosis/findings.ts';
import type { LogFinding } from '../diagnosis/log-findings.ts';
import { mostSpecific } from '../diagnosis/specificity.ts';
import { deadlineFact, seconds, startDeadlineFact } from './facts.ts';
import { haveEnded } from './jobs.ts';
import { isEndless, looksEndless } from './kind.ts';
import { startsSoFar } from './jobmanager-replacement.ts';
import { isTerminal } from '../flink/job-state.ts';
import type { JobSummary } from '../flink/job-manager.ts';
import type { Attempt } from '../run/record.ts';
import { gatedFor } from '../run/gate.ts';
import { isTriedAgain } from '../run/remedy.ts';
import { startingFor } from '../run/prepared.ts';
import { BEFORE_RUNNING, ONCE_RUNNING, type Rule } from './rule.ts';
import {
  failure,
  hasStarted,
  jobManagerReady,
  lost,
  outcomeOf,
  situation,
  clusterSnapshot,
  tasksRun,
  tellsOfItsJob,
  type DecisionInput,
  type Verdict,
} from './verdict.ts';

/** How long a REST endpoint may be silent, while its pods are well, before the run's outcome is called unknown. */
export const SILENCE_LIMIT: Duration = 30 * 60_000;

/** Nobody opens such a gate any more. */
export const GATE_LIMIT: Duration = 7 * 24 * 60 * 60_000;

export const gateLimit: Rule = {
  name: 'gate-limit',
  description: `A scheduling gate has been shut before a pod for ${GATE_LIMIT / 86_400_000} days: the attempt fails`,
  when: BEFORE_RUNNING,
  facts: ({ attempt, now }) =>
    attempt.gate === undefined
      ? 'no pod was behind a scheduling gate'
      : `behind gates for ${seconds(gatedFor(attempt, now))}`,
  judge: gatedTooLong,
};

export const startDeadline: Rule = {
  name: 'start-deadline',
  description: 'No task of the job ran within deadlines.start: the attempt fails, with the cause as far as it is known',
  when: BEFORE_RUNNING,
  facts: (input) => `${startDeadlineFact(input)}; ${situation(input)}`,
  judge: overdueStart,
};

export const runDeadline: Rule = {
  name: 'run-deadline',
  description: 'The job still runs after deadlines.run: the run fails',
  when: ONCE_RUNNING,
  facts: ({ record, attempt, now }) =>
    deadlineFact('deadlines.run', record.job.deadlines.run, runningSince(attempt), now),
  judge: overdueJob,
};

export const restUnreachable: Rule = {
  name: 'rest-unreachable',
  description: `The REST endpoint of a job that ran has not answered for ${SILENCE_LIMIT / 60_000} min: nobody knows the outcome`,
  when: ONCE_RUNNING,
  facts: unreachableFact,
  judge: unreachableTooLong,
};

function unreachableFact({ record, observation, now }: DecisionInput): string {
  if (observation.rest.state === 'answered') return 'REST answers';
  const since = record.unreachableSince ?? now;
  return `REST has not answered for ${seconds(now - since)} of ${seconds(SILENCE_LIMIT)}: ${observation.rest.error}`;
}

function gatedTooLong(input: DecisionInput): Verdict | undefined {
  const { attempt, now, jobs } = input;
  if (attempt.gate?.since === undefined || gatedFor(attempt, now) < GATE_LIMIT || jobs.some(hasRun)) return undefined;
  return failure(input, 'PodGated', `After ${GATE_LIMIT / 86_400_000} days ${attempt.gate.message}`, []);
}

function overdueStart(input: DecisionInput): Verdict | undefined {
  const start = input.record.job.deadlines.start;
  if (startingFor(input.record, input.attempt, input.now) < start || input.jobs.some(hasRun)) return undefined;
  const limit = seconds(start);
  const late = `within the ${limit} of deadlines.start: ${situation(input)}`;
  if (input.observation.rest.state === 'unreachable' && jobManagerReady(input.observation)) return unheard(input, late);
  const cause = mostSpecific<Finding | LogFinding>(input.finding, input.logged);
  if (cause === undefined) {
    const message = `The job did not run ${late}`;
    if (mayHaveHadAJob(input)) return lost(input, 'StartDeadlineExceeded', message);
    return failure(input, 'StartDeadlineExceeded', message, []);
  }
  const message = `${cause.message} (for the ${limit} of deadlines.start)`;
  const end = isTriedAgain(input.record.job, cause.reason) && mayHaveHadAJob(input) ? lost : failure;
  return end(input, cause.reason, message, cause.evidence);
}

/** It had started by this look, whatever main() does since. */
function hasRun(job: JobSummary): boolean {
  return isTerminal(job.state) || tasksRun(job);
}

/** Where no log tells: a short job begins, ends and is forgotten between two looks, or with an earlier JobManager. */
function mayHaveHadAJob(input: DecisionInput): boolean {
  const { job, observation, record } = input;
  if (job !== undefined || !hasStarted(input)) return false;
  return startsSoFar(observation, record) !== 1 || !tellsOfItsJob(input);
}

/** A JobManager that is well and not heard may have run a job to its end: another attempt could do it twice. */
function unheard(input: DecisionInput, late: string): Verdict {
  const message = `The JobManager runs, and its REST endpoint did not answer ${late}`;
  if (isEndless(input.record)) return failure(input, 'RestUnreachable', message, []);
  return {
    kind: 'ended',
    outcome: outcomeOf('unknown', 'RestUnreachable', message, input.now, clusterSnapshot(input)),
  };
}

function runningSince({ runningAt, launchedAt }: Attempt): Instant {
  return runningAt ?? launchedAt;
}

function overdueJob(input: DecisionInput): Verdict | undefined {
  const { record, attempt, now } = input;
  const run = record.job.deadlines.run;
  if (run === undefined || now - runningSince(attempt) < run) return undefined;
  const what = haveEnded(input.jobs) ? 'main()' : 'The job';
  const message = `${what} still ran after the ${seconds(run)} of deadlines.run${looksEndless(record)}`;
  return { kind: 'ended', outcome: outcomeOf('failed', 'RunDeadlineExceeded', message, now, clusterSnapshot(input)) };
}

function unreachableTooLong(input: DecisionInput): Verdict | undefined {
  const { record, observation, now } = input;
  if (record.unreachableSince === undefined || observation.rest.state !== 'unreachable') return undefined;
  if (now - record.unreachableSince < SILENCE_LIMIT) return undefined;
  const minutes = Math.round(SILENCE_LIMIT / 60_000);
  const message = `The JobManager's REST endpoint has been silent for ${minutes} min while its pod is there: ${observation.rest.error}`;
  return { kind: 'ended', outcome: outcomeOf('unknown', 'RestUnreachable', message, now, clusterSnapshot(input)) };
}
