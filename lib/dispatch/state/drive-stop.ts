import { describeError } from '../../core/errors.ts';
import { allTasksRun } from '../../flink/all-tasks-run.ts';
import type { JobSummary } from '../../flink/job-manager.ts';
import { isTerminal } from '../../flink/job-state.ts';
import { without } from '../../run/machine.ts';
import type { ActiveRun } from '../../run/record.ts';
import { savepointStop, savepointTry, type SavepointStop } from '../../run/stop-request.ts';
import type { Snapshot } from '../../state/snapshot.ts';
import { currentJob, jobsOf } from '../../verdict/jobs.ts';
import type { Observation } from '../../verdict/observation.ts';
import type { AttemptContext } from '../attempt-context.ts';

/** Savepoints that one stop asks for, however soon each of them fails. */
const MOST_TRIES = 20;

/**
 * Carries a stop with a savepoint on, at a look that decided nothing. Asking Flink again with the same id joins what it has
 * under way; when a try has failed, or its JobManager is gone and the job went on, the next one has a number of its own.
 */
export async function driveStop(at: AttemptContext<ActiveRun>, observation: Observation): Promise<ActiveRun> {
  const { run, attempt, deps } = at;
  const stop = savepointStop(run);
  if (stop === undefined || attempt.abortOutcome !== undefined) return run;
  const now = deps.clock.now();
  const { operation } = observation.stop ?? {};
  if (now >= stop.until)
    return giveUp(run, stop, now, `it took longer than the job lets it${said(operation?.message)}`);
  const job = currentJob(jobsOf(observation, run));
  const isOpen = operation?.ordinal === stop.savepoint.ordinal && attempt.runningAt !== undefined;
  if (job === undefined || !isOpen) return run;
  if (operation.state === 'failed') return nextTry(run, stop, now, operation.message ?? 'Flink gave no reason');
  return operation.state === 'unknown' ? beginTry(at, stop, job, observation.stop?.savepoint) : run;
}

/** The JobManager knows of no such operation: it has not heard of it yet, or another one had and has completed it. */
async function beginTry(
  at: AttemptContext<ActiveRun>,
  stop: SavepointStop,
  job: JobSummary,
  savepoint: Snapshot | null | undefined,
): Promise<ActiveRun> {
  // The job has gone on since.
  if (savepoint && isOfTry(savepoint.path, stop))
    return nextTry(at.run, stop, at.deps.clock.now(), 'its JobManager is gone');
  // Before, it would be declined.
  if (savepoint !== undefined && allTasksRun(job)) await askToStop(at, stop, job);
  return at.run;
}

function isOfTry(path: string, { savepoint: { directory } }: SavepointStop): boolean {
  return path.startsWith(directory);
}

/** What is refused, or not answered, is asked again at the next look. */
async function askToStop(
  { run, ref, target, deps }: AttemptContext,
  { savepoint }: SavepointStop,
  { id, state }: JobSummary,
): Promise<void> {
  if (isTerminal(state)) return;
  const { triggerId, directory: targetDirectory, format: formatType, drain, ordinal } = savepoint;
  try {
    await target.savepoints(ref).stop(id, { triggerId, targetDirectory, formatType, drain });
  } catch (error) {
    deps.log.warn('a stop was not taken', { runId: run.runId, jobId: id, ordinal, error: describeError(error) });
  }
}

function nextTry(run: ActiveRun, stop: SavepointStop, now: number, message: string): ActiveRun {
  const { ordinal, format, drain } = stop.savepoint;
  if (ordinal - firstTry(run, stop) >= MOST_TRIES) return giveUp(run, stop, now, message);
  const savepoint = savepointTry(run, ordinal + 1, { format, drain });
  return { ...run, stopRequested: { ...stop, savepoint }, stopTries: ordinal + 1 };
}

/** The last stop may have made tries, too. */
function firstTry({ stopFailed }: ActiveRun, { at }: SavepointStop): number {
  return stopFailed !== undefined && stopFailed.at <= at ? stopFailed.ordinal + 1 : 1;
}

function giveUp(run: ActiveRun, stop: SavepointStop, now: number, why: string): ActiveRun {
  const { by, reason, fallback, savepoint } = stop;
  if (fallback === 'last-state') return { ...run, stopRequested: { mode: 'last-state', at: now, by, reason } };
  const { ordinal } = savepoint;
  const message = `No savepoint could be had after ${ordinal} tries: ${why}`;
  return { ...without(run, 'stopRequested'), stopFailed: { at: now, by, reason: 'SavepointFailed', message, ordinal } };
}

function said(message: string | undefined): string {
  return message === undefined ? '' : `, the last time: ${message}`;
}
