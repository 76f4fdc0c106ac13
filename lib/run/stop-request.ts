import { sha256Hex } from '../core/ids.ts';
import { below } from '../state/storage.ts';
import { currentAttempt } from './machine.ts';
import type { RunRecord, SavepointTry, StopRequest } from './record.ts';

/** What it takes to name a try: nothing else may go into its id and its directory. */
type Tried = Pick<RunRecord, 'runId' | 'deployment' | 'job' | 'attempts'>;

/** A stop with a savepoint that is under way. */
export type SavepointStop = Extract<StopRequest, { mode: 'savepoint' }>;

/**
 * A try by its number: repeated, it has the same id, which Flink joins to the operation that it has, and the same
 * directory, which tells what became of it when Flink cannot.
 */
export function savepointTry(run: Tried, ordinal: number, how: Pick<SavepointTry, 'format' | 'drain'>): SavepointTry {
  const attempt = currentAttempt(run)?.number ?? 0;
  const triggerId = sha256Hex(`savepoint\n${run.runId}\n${attempt}\n${ordinal}`).slice(0, 32);
  return { ordinal, triggerId, directory: directoryOfTry(run, ordinal), ...how };
}

/** Where the savepoint of that try is, and nothing else. */
function directoryOfTry({ runId, deployment, job }: Tried, ordinal: number): string {
  return below(job?.state?.savepointDirectory ?? '', deployment?.id ?? runId, `${runId}-${ordinal}/`);
}

/** Of all tries that the run ever made, the newest first. */
export function directoriesOfTries(run: RunRecord): readonly string[] {
  const { stopTries: tries = 0 } = run;
  if (run.job?.state?.savepointDirectory === undefined) return [];
  return Array.from({ length: tries }, (_, index) => directoryOfTry(run, tries - index));
}

/**
 * The request to cancel that a run has: a person's, or that of a stop which takes the newest checkpoint. A job that was not
 * seen to run has made no progress that a savepoint could keep, so that it is canceled as well, unless it goes on from a
 * checkpoint of this run and a savepoint is asked for and nothing else.
 */
export function cancelOf(run: RunRecord): RunRecord['cancelRequested'] {
  const { cancelRequested, stopRequested: stop } = run;
  if (cancelRequested !== undefined || stop === undefined) return cancelRequested;
  const { at, by, reason } = stop;
  const isCancel = stop.mode === 'last-state' || !hasProgress(run, stop);
  return isCancel ? { at, by, reason } : undefined;
}

function hasProgress(run: RunRecord, { fallback }: SavepointStop): boolean {
  const attempt = currentAttempt(run);
  if (attempt?.runningAt !== undefined) return true;
  const from = attempt?.restoredFrom;
  return fallback === 'none' && from?.kind === 'checkpoint' && from.run === run.runId;
}

/** The stop with a savepoint that is to be carried out now. */
export function savepointStop(run: RunRecord): SavepointStop | undefined {
  const { stopRequested: stop } = run;
  return stop?.mode === 'savepoint' && cancelOf(run) === undefined ? stop : undefined;
}
