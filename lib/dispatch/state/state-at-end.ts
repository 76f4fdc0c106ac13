import { hasHighAvailability } from '../../job/high-availability.ts';
import { isHeld, isPrepared } from '../../run/prepared.ts';
import { currentAttempt, updateAttempt } from '../../run/machine.ts';
import type { ActiveRun, Outcome } from '../../run/record.ts';
import type { Snapshot } from '../../state/snapshot.ts';
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
  const { attempt } = at;
  if (!keepsState(at.run)) return at.run;
  const jobManager = attempt.jobManager ?? firstJobManager(observation.kubernetes);
  const seen = jobManager === undefined ? at.run : updateAttempt(at.run, { jobManager });
  // What one that begins anew tells of its checkpoints leaves out those of the first.
  const beganAgain = beginsAnew(seen) && isReplaced(currentAttempt(seen), observation.kubernetes);
  const run = beganAgain ? updateAttempt(seen, { beganAgain }) : seen;
  const savepoint = observation.stop?.savepoint ?? undefined;
  if (reason === 'StoppedWithSavepoint' && savepoint !== undefined) return updateAttempt(run, { snapshot: savepoint });
  const state = endOf(observation, run);
  if (state === undefined || beganAgain) return run;
  // Flink removes the checkpoints of a job that finished.
  const told = state === 'FINISHED' ? undefined : (observation.stop?.newest ?? (await askNewest(at)));
  const snapshot = newestOf([savepoint, told].filter((one) => one !== undefined));
  return snapshot === undefined ? run : updateAttempt(run, { snapshot });
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
