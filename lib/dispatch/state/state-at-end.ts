import { hasHighAvailability } from '../../job/high-availability.ts';
import { isHeld, isPrepared } from '../../run/prepared.ts';
import { currentAttempt, updateAttempt } from '../../run/machine.ts';
import type { ActiveRun, Outcome } from '../../run/record.ts';
import type { Snapshot } from '../../state/snapshot.ts';
import { endedApplication } from '../../verdict/application/end.ts';
import { haveEnded, jobsOf } from '../../verdict/jobs.ts';
import type { Observation } from '../../verdict/observation.ts';
import { firstJobManager, isReplaced } from '../../verdict/verdict.ts';
import type { AttemptContext } from '../attempt-context.ts';
import { newestOf, newestTold } from './snapshots.ts';

/**
 * Notes of a stream's attempt that ends what its JobManager tells of its state, while it still does. Only what it tells after
 * the job's end is the newest; what is not told now is looked for when the attempt is gone.
 */
export async function withStateAtEnd(
  at: AttemptContext<ActiveRun>,
  observation: Observation,
  { reason }: Outcome,
): Promise<ActiveRun> {
  const { run } = at;
  if (!keepsState(run)) return run;
  const savepoint = observation.stop?.savepoint ?? undefined;
  if (reason === 'StoppedWithSavepoint' && savepoint !== undefined) return updateAttempt(run, { snapshot: savepoint });
  const state = endOf(observation, run);
  // What one that begins anew tells of its checkpoints leaves out those of the first.
  if (state === undefined || currentAttempt(run).beganAgain === true) return run;
  // Flink removes the checkpoints of a job that finished.
  const told = state === 'FINISHED' ? undefined : (observation.stop?.newest ?? (await askNewest(at)));
  const snapshot = newestOf([savepoint, told].filter((one) => one !== undefined));
  return snapshot === undefined ? run : updateAttempt(run, { snapshot });
}

/**
 * Notes of an attempt that ends whether another JobManager has begun its program again, and whether that may be at it: with
 * high availability, too, a program that failed is begun again.
 */
export function noteSecondStart({ run, attempt }: AttemptContext<ActiveRun>, observation: Observation): ActiveRun {
  const { kubernetes } = observation;
  const jobManager = attempt.jobManager ?? firstJobManager(kubernetes);
  if (run.job.mode === 'session' || isHeld(run) || jobManager === undefined) return run;
  const seen = updateAttempt(run, { jobManager });
  if (!isReplaced(currentAttempt(seen), kubernetes)) return seen;
  const beganAgain = beginsAnew(seen);
  const goesOn = beganAgain || !isIdle(observation);
  return updateAttempt(seen, { ...(beganAgain && { beganAgain }), ...(goesOn && { goesOn }) });
}

/** The JobManager that stands says that its application has ended. */
function isIdle({ rest }: Observation): boolean {
  if (rest.state === 'unreachable') return false;
  return endedApplication(rest.facts) !== undefined || rest.main?.state === 'returned';
}

function keepsState(run: ActiveRun): boolean {
  return run.job.state !== undefined && !isHeld(run);
}

/** What a JobManager does that takes the place of another one. */
function beginsAnew(run: ActiveRun): boolean {
  return !isPrepared(run) && !hasHighAvailability(run.job.options);
}

/** In Flink's words, of the stream's only job. */
function endOf(observation: Observation, run: ActiveRun): string | undefined {
  const jobs = jobsOf(observation, run);
  return haveEnded(jobs) ? jobs.at(-1)?.state : undefined;
}

async function askNewest(at: AttemptContext): Promise<Snapshot | undefined> {
  try {
    return await newestTold(at);
  } catch (error) {
    at.deps.log.warn('the newest state was not told', { runId: at.run.runId, error });
    return undefined;
  }
}
