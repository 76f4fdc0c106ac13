import { defined } from '../../core/defined.ts';
import { isDispatchError } from '../../core/errors.ts';
import type { DeploymentRecord, SnapshotRequest } from '../../deployment/record.ts';
import { requestDone, requestFailed } from '../../deployment/requests.ts';
import type { SavepointStatus } from '../../flink/job-manager.ts';
import { hasAttempt } from '../../run/machine.ts';
import type { RunRecord } from '../../run/record.ts';
import type { Snapshot } from '../../state/snapshot.ts';
import { openAttempt, type AttemptContext } from '../attempt-context.ts';
import type { DispatchDeps } from '../deps.ts';
import { isDenied, storedSnapshot } from '../state/snapshots.ts';

/** What an effect has found out, put into a record that somebody else may have changed meanwhile. */
export type Found = (record: DeploymentRecord) => DeploymentRecord;

/**
 * Asks for a snapshot, or what has become of it: the same question joins the operation that Flink has. Trouble in asking
 * says nothing of the job, which goes on.
 */
export async function takeSnapshot(
  request: SnapshotRequest,
  run: RunRecord,
  deps: DispatchDeps,
): Promise<Found | undefined> {
  if (!hasAttempt(run)) return undefined;
  try {
    const at = await openAttempt(run, deps);
    const status = await statusOf(at, request);
    if (status === 'unknown') return await askAnew(at, request);
    return await foundIn(status, at, request);
  } catch (error) {
    if (!isDispatchError(error)) throw error;
    deps.log.warn('a snapshot is not taken yet', { runId: run.runId, reason: error.reason, error });
    const refused = error.reason === 'FlinkRefused';
    return refused ? failedBecause(request, error.message, deps) : undefined;
  }
}

async function statusOf(
  { target, ref, attempt }: AttemptContext,
  { kind, triggerId }: SnapshotRequest,
): Promise<SavepointStatus | 'unknown'> {
  try {
    return await target.savepoints(ref).status({ kind, jobId: attempt.jobId, triggerId });
  } catch (error) {
    if (isDispatchError(error) && error.reason === 'OperationNotFound') return 'unknown';
    throw error;
  }
}

/** Flink has not heard of it, or has forgotten it: then its directory tells whether it was complete. */
async function askAnew(at: AttemptContext, request: SnapshotRequest): Promise<Found | undefined> {
  const { target, ref, attempt, deps } = at;
  const { directory, triggerId, format } = request;
  const complete = directory === undefined ? undefined : await completeIn(directory, request, deps);
  if (complete !== undefined) return done(request, complete, deps);
  const savepoints = target.savepoints(ref);
  if (directory === undefined) await savepoints.checkpoint(attempt.jobId, { triggerId });
  else await savepoints.trigger(attempt.jobId, { targetDirectory: directory, formatType: format, triggerId });
  return undefined;
}

/** Storage that cannot be read does not keep a savepoint from being asked for. */
async function completeIn(
  directory: string,
  { run, format }: SnapshotRequest,
  deps: DispatchDeps,
): Promise<Snapshot | undefined> {
  try {
    const [found] = await deps.state(directory).savepoints(directory);
    return found && { ...storedSnapshot('savepoint', found, run), format };
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}

async function foundIn(
  status: SavepointStatus,
  at: AttemptContext,
  request: SnapshotRequest,
): Promise<Found | undefined> {
  const { deps } = at;
  switch (status.status) {
    case 'IN_PROGRESS':
      return undefined;
    case 'FAILED':
      return failedBecause(request, status.cause.message, deps);
    case 'COMPLETED': {
      const told = await newestTold(at);
      const path = status.location ?? told?.path;
      if (path === undefined) return failedBecause(request, 'Flink names no place of it', deps);
      const known = told?.path === path ? told : undefined;
      const { kind, format, run } = request;
      return done(
        request,
        { kind, path, ...(kind === 'savepoint' && { format }), run, at: deps.clock.now(), ...known },
        deps,
      );
    }
  }
}

/** Its number and size; it is complete all the same when nobody tells them. */
async function newestTold({ target, ref, attempt, deps }: AttemptContext): Promise<Partial<Snapshot> | undefined> {
  try {
    const { newest } = await target.application(ref).checkpoints(attempt.jobId);
    if (newest === undefined) return undefined;
    const { id: checkpointId, path, at, bytes } = newest;
    return defined({ checkpointId, path, at, bytes });
  } catch (error) {
    deps.log.warn('the size of a snapshot is not known', { error });
    return undefined;
  }
}

function done({ ordinal }: SnapshotRequest, snapshot: Snapshot, { clock }: DispatchDeps): Found {
  return (record) => requestDone(record, ordinal, snapshot, clock.now());
}

function failedBecause({ ordinal }: SnapshotRequest, message: string, { clock }: DispatchDeps): Found {
  return (record) => requestFailed(record, ordinal, message, clock.now());
}
