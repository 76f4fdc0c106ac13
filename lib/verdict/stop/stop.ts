import type { Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import type { ActiveRun, Outcome } from '../../run/record.ts';
import { cancelOf, savepointStop } from '../../run/stop-request.ts';
import type { Snapshot } from '../../state/snapshot.ts';
import { firstLine, seconds } from '../facts.ts';
import { haveEnded, jobsOf } from '../jobs.ts';
import type { Observation } from '../observation.ts';
import type { Rule } from '../rule.ts';
import { isNewest } from './stop-facts.ts';
import { hasStarted, outcomeOf, type RuledVerdict, type Verdict } from '../verdict.ts';

/** A run of a stream that was asked to stop, now or earlier. */
export interface StopInput {
  readonly record: ActiveRun;
  readonly observation: Observation;
  readonly now: Instant;
  /** What the rules of its mode say of it. */
  readonly verdict: RuledVerdict;
}

/** Where none of them holds, the verdict of the mode's rules stands: a job that ends by itself has ended so. */
export const STOP_RULES: readonly Rule<StopInput>[] = [
  {
    name: 'stopped-with-savepoint',
    description:
      'The job has ended, and the newest that it left is a savepoint which a stop asked for: the run has stopped with it',
    facts: (input) => `${jobsFact(input)}; ${savepointFact(input)}`,
    judge: stoppedWithSavepoint,
  },
  {
    name: 'stopped-by-cancel',
    description:
      'The job was canceled so that its newest checkpoint is taken, and has stopped, or is lost: it is canceled',
    facts: (input) => `${jobsFact(input)}; ${cancelFact(input)}`,
    judge: stoppedByCancel,
  },
];

/** Only a run of these is judged by them. */
export function isStopping({ job, stopRequested, stopTries }: ActiveRun): boolean {
  return job.state !== undefined && (stopRequested !== undefined || stopTries !== undefined);
}

function stoppedWithSavepoint(input: StopInput): Verdict | undefined {
  const { observation, record } = input;
  const { stop = {} } = observation;
  if (!hasEnded(input) || !stop.savepoint || !isNewest(stop.savepoint, stop)) return undefined;
  // One that was given up may still have come; of a job that ran on afterwards it is not the end.
  if (savepointStop(record) === undefined && endState(input) !== 'FINISHED') return undefined;
  return withRunning({ kind: 'ended', outcome: outcomeWith(stop.savepoint, input) }, input.verdict);
}

function outcomeWith({ path }: Snapshot, input: StopInput): Outcome {
  const { record, verdict, now } = input;
  const end = terminal(input);
  const state = endState(input);
  const told = verdict.kind === 'ended' ? verdict.outcome : undefined;
  const by = (savepointStop(record) ?? record.stopFailed)?.by;
  const then = state === 'FAILED' ? `, and failed when it stopped${why(verdict)}` : '';
  const message = `The job was stopped${by === undefined ? '' : ` by ${by}`} with savepoint ${path}${then}`;
  const hasTime = end !== undefined && end.endTime > 0;
  const at = hasTime ? end.endTime : (told?.at ?? now);
  return {
    ...outcomeOf('succeeded', 'StoppedWithSavepoint', message, at, [`complete savepoint ${path}`]),
    ...defined({ jobs: told?.jobs, accumulators: told?.accumulators, jobDuration: hasTime ? end.duration : undefined }),
    flinkState: state ?? 'FINISHED',
  };
}

/** In Flink's words. */
function endState(input: StopInput): string | undefined {
  const { verdict } = input;
  return terminal(input)?.state ?? (verdict.kind === 'ended' ? verdict.outcome.flinkState : undefined);
}

/** In Flink's words; of a job that only a log tells of, by the verdict that rests on it. */
function hasEnded({ observation, record, verdict }: StopInput): boolean {
  if (haveEnded(jobsOf(observation, record))) return true;
  return verdict.kind === 'ended' && verdict.outcome.flinkState !== undefined;
}

function terminal({ observation, record }: StopInput): ReturnType<typeof jobsOf>[number] | undefined {
  const jobs = jobsOf(observation, record);
  return haveEnded(jobs) ? jobs.at(-1) : undefined;
}

function why(verdict: RuledVerdict): string {
  const root = verdict.kind === 'ended' ? verdict.outcome.rootException : undefined;
  return root === undefined ? '' : `: ${firstLine(root)}`;
}

/** What is newest is looked for when it is gone. */
function stoppedByCancel(input: StopInput): Verdict | undefined {
  const { record, verdict, now } = input;
  const asked = record.cancelRequested === undefined ? cancelOf(record) : undefined;
  if (asked === undefined) return undefined;
  const canceled = (how: string): Verdict => {
    const end = terminal(input);
    const outcome = outcomeOf('canceled', asked.reason, `Canceled by ${asked.by}: ${how}`, now, []);
    const told =
      end?.state === 'CANCELED' ? { flinkState: 'CANCELED', ...(end.endTime > 0 && { at: end.endTime }) } : {};
    return withRunning({ kind: 'ended', outcome: { ...outcome, ...told } }, verdict);
  };
  if (terminal(input)?.state === 'CANCELED') return canceled('its newest checkpoint is taken');
  const isLost = verdict.kind === 'failed' || (verdict.kind === 'ended' && verdict.outcome.state === 'unknown');
  if (!isLost) return undefined;
  const how = hasStarted(input) ? `it was lost meanwhile: ${verdict.outcome.message}` : verdict.outcome.message;
  return canceled(how);
}

function withRunning(made: Extract<Verdict, { kind: 'ended' }>, verdict: RuledVerdict): Verdict {
  return verdict.kind !== 'failed' && verdict.running !== undefined ? { ...made, running: verdict.running } : made;
}

function jobsFact({ observation, record, verdict }: StopInput): string {
  const jobs = jobsOf(observation, record).map(({ id, state }) => `job ${id} is ${state}`);
  const said = jobs.length === 0 ? 'REST shows no job' : jobs.join(', ');
  return `${said}; the rules of the mode: ${verdict.kind} by ${verdict.rule}`;
}

function savepointFact({ observation: { stop = {} } }: StopInput): string {
  const { operation, savepoint, newest } = stop;
  const asked = operation === undefined ? [] : [`savepoint ${operation.ordinal} is ${operation.state}`];
  const found =
    savepoint === undefined
      ? 'no savepoint was looked for'
      : savepoint === null
        ? 'no savepoint is complete'
        : `savepoint ${savepoint.path} is complete, number ${savepoint.checkpointId ?? 'unknown'}`;
  const other = newest === undefined ? [] : [`Flink's newest is number ${newest.checkpointId ?? 'unknown'}`];
  return [...asked, found, ...other].join(', ');
}

function cancelFact({ record, now }: StopInput): string {
  const asked = cancelOf(record);
  return asked === undefined ? 'no checkpoint is waited for' : `canceled by ${asked.by} ${seconds(now - asked.at)} ago`;
}
