import { defined } from '../../core/defined.ts';
import { isDispatchError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { CompletedCheckpoint } from '../../flink/job-manager.ts';
import { directoriesOfTries } from '../../run/stop-request.ts';
import { currentAttempt } from '../../run/machine.ts';
import type { LaunchedRun } from '../../run/record.ts';
import type { Snapshot } from '../../state/snapshot.ts';
import type { AttemptContext } from '../attempt-context.ts';
import { below, type StateStorages, type StoredSavepoint } from '../../state/storage.ts';

/** As Flink tells of it. */
function toldSnapshot({ id, path, isSavepoint, format, at, bytes }: CompletedCheckpoint, run: RunId): Snapshot {
  return {
    kind: isSavepoint ? 'savepoint' : 'checkpoint',
    path,
    ...defined({ format }),
    checkpointId: id,
    run,
    at,
    bytes,
  };
}

/** The newest that the JobManager tells of. @throws DispatchError as JobManager */
export async function newestTold({ run, attempt, ref, target }: AttemptContext): Promise<Snapshot | undefined> {
  const { newest } = await target.jobManager(ref).checkpoints(attempt.jobId);
  return newest && toldSnapshot(newest, run.runId);
}

/** As its storage has it; its size is not known there. */
export function storedSnapshot(
  kind: Snapshot['kind'],
  { path, at, checkpointId }: StoredSavepoint,
  run: RunId,
): Snapshot {
  return { kind, path, checkpointId, run, at };
}

/** Of one job id. */
export function newestOf(snapshots: readonly Snapshot[]): Snapshot | undefined {
  return [...snapshots].sort((a, b) => (b.checkpointId ?? 0) - (a.checkpointId ?? 0))[0];
}

/**
 * The complete savepoints of every stop of the run, without those that an earlier attempt left and this one is beyond: Flink
 * goes on counting from what a job was restored from.
 * @throws DispatchError as StateStorage
 */
export async function savepointsOfTries(run: LaunchedRun, state: StateStorages): Promise<readonly Snapshot[]> {
  const directories = directoriesOfTries(run);
  const found = await Promise.all(directories.map((directory) => state(directory).savepoints(directory)));
  return beyondRestored(run, found.flat());
}

/**
 * The same of all savepoints of the run, those included that its deployment asked for while the job went on.
 * @throws DispatchError as StateStorage
 */
export async function savepointsOfRun(run: LaunchedRun, state: StateStorages): Promise<readonly Snapshot[]> {
  const { savepointDirectory } = run.job.state ?? {};
  if (savepointDirectory === undefined || run.deployment === undefined) return savepointsOfTries(run, state);
  const directory = below(savepointDirectory, run.deployment.id);
  return beyondRestored(run, await state(directory).savepointsBelow(directory, `${run.runId}-`));
}

/** The complete checkpoints of the job of its current attempt. @throws DispatchError as StateStorage */
export async function storedCheckpoints(run: LaunchedRun, state: StateStorages): Promise<readonly Snapshot[]> {
  const directory = run.job.state?.checkpointDirectory;
  if (directory === undefined) return [];
  const checkpoints = await state(directory).checkpoints(directory, currentAttempt(run).jobId);
  return checkpoints.map((one) => storedSnapshot('checkpoint', one, run.runId));
}

function beyondRestored(run: LaunchedRun, found: readonly StoredSavepoint[]): readonly Snapshot[] {
  const { restoredFrom } = currentAttempt(run);
  const format = run.job.state?.format;
  const newer = found.filter(({ checkpointId }) => checkpointId > (restoredFrom?.checkpointId ?? -1));
  return newer.map((one) => ({ ...storedSnapshot('savepoint', one, run.runId), ...defined({ format }) }));
}

/** Nothing will ever be read there. */
export function isDenied(error: unknown): boolean {
  return isDispatchError(error) && error.reason === 'StateStorageDenied';
}
