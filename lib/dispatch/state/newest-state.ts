import { describeError } from '../../core/errors.ts';
import { isHeld } from '../../run/prepared.ts';
import { updateAttempt, without, withoutSnapshot } from '../../run/machine.ts';
import type { LaunchedRun } from '../../run/record.ts';
import type { Snapshot } from '../../state/snapshot.ts';
import type { AttemptContext } from '../attempt-context.ts';
import { isDenied, newestOf, savepointsOfRun, storedCheckpoints } from './snapshots.ts';

/**
 * What the attempt left of its job's state, once nothing of it is there any more: only now nobody writes. What Flink told of
 * a job that had ended is final. Where nothing can be read, that is on the record, and no state is made up.
 * @throws DispatchError `StateStorageUnavailable`: the same again may succeed
 */
export async function withNewestState<R extends LaunchedRun>(at: AttemptContext<R>): Promise<R> {
  const { run, attempt, job, deps } = at;
  if (job.state === undefined || isHeld(run) || leftNothing(at)) return run;
  try {
    if (attempt.snapshot !== undefined && (await isThere(attempt.snapshot, at))) return run;
    const savepoints = await savepointsOfRun(run, deps.state);
    const snapshot = newestOf([...savepoints, ...(await storedCheckpoints(run, deps.state))]);
    if (attempt.beganAgain === true && snapshot?.kind === 'checkpoint') return ambiguous(run, snapshot);
    const bare = without(run, 'stateUnknown');
    return snapshot === undefined ? withoutSnapshot(bare) : updateAttempt(bare, { snapshot });
  } catch (error) {
    if (!isDenied(error)) throw error;
    if (attempt.snapshot !== undefined || neverStarted(at)) return run;
    deps.log.warn('the newest state is not known', { runId: run.runId, error });
    return { ...run, stateUnknown: { message: describeError(error) } };
  }
}

/** The highest number may be that of a program which began from an older state. */
function ambiguous<R extends LaunchedRun>(run: R, { path }: Snapshot): R {
  const message = `Kubernetes began the program again before anybody saw that it had stopped, and both wrote checkpoints to one directory, of which ${path} has the highest number`;
  return { ...run, stateUnknown: { message } };
}

/** Flink removes the checkpoints of a job that finished. */
function leftNothing({ attempt: { outcome } }: AttemptContext): boolean {
  return outcome?.flinkState === 'FINISHED' && outcome.reason !== 'StoppedWithSavepoint';
}

/** Of these, a JobManager may have started and gone between two looks. */
const UNSEEN: readonly (string | undefined)[] = ['cluster-deleted', 'stopped-by-cancel', 'no-look'];

/** Whether looks saw that no JobManager of the attempt ever started, so that it wrote nothing. */
function neverStarted({ attempt }: AttemptContext): boolean {
  const { outcome, createdAt, jobManager, runningAt } = attempt;
  if (outcome?.state === 'unknown' || jobManager !== undefined || runningAt !== undefined) return false;
  return createdAt === undefined || !UNSEEN.includes(outcome?.rule);
}

/** A program may have Flink remove what was told a moment ago. */
async function isThere({ path }: Snapshot, { deps }: AttemptContext): Promise<boolean> {
  return (await deps.state(path).look(path)) !== undefined;
}
