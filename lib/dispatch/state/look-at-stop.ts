import { defined } from '../../core/defined.ts';
import { describeError, isDispatchError } from '../../core/errors.ts';
import type { SavepointStatus } from '../../flink/job-manager.ts';
import type { ActiveRun } from '../../run/record.ts';
import { savepointStop, type SavepointStop } from '../../run/stop-request.ts';
import type { Snapshot } from '../../state/snapshot.ts';
import { isBelow } from '../../state/storage.ts';
import { haveEnded, jobsOf } from '../../verdict/jobs.ts';
import type { Observation } from '../../verdict/observation.ts';
import type { SavepointOperationFacts, StopFacts } from '../../verdict/stop/stop-facts.ts';
import { isStopping } from '../../verdict/stop/stop.ts';
import { jobManagerRuns } from '../../verdict/verdict.ts';
import type { AttemptContext } from '../attempt-context.ts';
import { isDenied, newestOf, newestTold, savepointsOfTries, storedCheckpoints } from './snapshots.ts';

type Stopping = AttemptContext<ActiveRun>;

/** What Flink's operation says, with the place that it names. */
interface Asked {
  readonly facts: SavepointOperationFacts;
  readonly location?: string;
}

/**
 * Adds to a look at a stream that was asked to stop with a savepoint what has become of it. Flink forgets its operations, so
 * that what counts is what is in their directories.
 * @throws DispatchError `StateStorageUnavailable` where the job has ended, and nothing may be said before it is known how
 */
export async function lookAtStop(at: Stopping, observation: Observation): Promise<Observation> {
  const { run, attempt } = at;
  if (!isStopping(run) || run.stopTries === undefined || attempt.runningAt === undefined) return observation;
  const open = savepointStop(run);
  const jobs = jobsOf(observation, run);
  const asked = open === undefined || jobs.length === 0 ? undefined : await askFlink(at, open);
  // The verdict stands without it: what is in the storage is looked at in any case.
  const told = mayBeBeyond(jobs, asked) ? await newestTold(at).catch(() => undefined) : undefined;
  const isOver = haveEnded(jobs) || !jobManagerRuns(observation.kubernetes) || jobs.length === 0;
  const savepoint = isOver || isVain(asked) ? await savepointOf(at, asked, told, isOver) : undefined;
  const newest = told ?? (await newestStored(at, isOver ? savepoint : undefined));
  return { ...observation, stop: { ...defined({ operation: asked?.facts, newest }), ...savepointIf(savepoint) } };
}

function isVain(asked: Asked | undefined): boolean {
  return asked?.facts.state === 'failed' || asked?.facts.state === 'unknown';
}

/** A JobManager that does not know of the stop may have gone on from before it, past what the stop left. */
function mayBeBeyond(jobs: ReturnType<typeof jobsOf>, asked: Asked | undefined): boolean {
  return haveEnded(jobs) || asked?.facts.state === 'unknown';
}

/**
 * A job that its stop began anew may have gone on from there, and ended without anybody who tells of it. Numbers of a program
 * that was begun again say nothing.
 * @throws DispatchError `StateStorageUnavailable`
 */
async function newestStored(at: Stopping, found: Snapshot | null | undefined): Promise<Snapshot | undefined> {
  if (!found || at.attempt.beganAgain === true) return undefined;
  try {
    return newestOf(await storedCheckpoints(at.run, at.deps.state));
  } catch (error) {
    if (!isDenied(error)) throw error;
    at.deps.log.warn('checkpoints were not looked for', { runId: at.run.runId, error: describeError(error) });
    return undefined;
  }
}

function savepointIf(savepoint: Snapshot | null | undefined): Pick<StopFacts, 'savepoint'> {
  return savepoint === undefined ? {} : { savepoint };
}

async function askFlink({ attempt, ref, target }: Stopping, { savepoint }: SavepointStop): Promise<Asked | undefined> {
  const { ordinal, triggerId } = savepoint;
  const operation = { kind: 'savepoint', jobId: attempt.jobId, triggerId } as const;
  try {
    return operationOf(ordinal, await target.savepoints(ref).status(operation));
  } catch (error) {
    const isUnknown = isDispatchError(error) && error.reason === 'OperationNotFound';
    return isUnknown ? { facts: { ordinal, state: 'unknown' } } : undefined;
  }
}

function operationOf(ordinal: number, status: SavepointStatus): Asked {
  switch (status.status) {
    case 'IN_PROGRESS':
      return { facts: { ordinal, state: 'in-progress' } };
    case 'COMPLETED':
      return { facts: { ordinal, state: 'completed' }, ...defined({ location: status.location }) };
    case 'FAILED': {
      const { message, stackTrace } = status.cause;
      const location = CREATED.exec(stackTrace)?.[1] ?? CREATED.exec(message)?.[1];
      return { facts: { ordinal, state: 'failed', message }, ...defined({ location }) };
    }
  }
}

/** org.apache.flink.runtime.scheduler.stopwithsavepoint.StopWithSavepointStoppingException */
const CREATED = /A savepoint has been created at: (\S+?),? but the corresponding job/;

async function savepointOf(
  at: Stopping,
  asked: Asked | undefined,
  newest: Snapshot | undefined,
  isOver: boolean,
): Promise<Snapshot | null | undefined> {
  try {
    return newestOf(await savepointsOfTries(at.run, at.deps.state)) ?? null;
  } catch (error) {
    if (!isDenied(error) && isOver) throw error;
    at.deps.log.warn('savepoints were not looked for', { runId: at.run.runId, error: describeError(error) });
    return isDenied(error) ? (told(at, asked, newest) ?? null) : undefined;
  }
}

/** Where the dispatcher may read no storage, Flink's word is all that there is. */
function told({ run, job }: Stopping, asked: Asked | undefined, newest: Snapshot | undefined): Snapshot | undefined {
  const root = job.state?.savepointDirectory;
  if (newest?.kind === 'savepoint' && root !== undefined && isBelow(newest.path, root)) return newest;
  const { location } = asked ?? {};
  if (location === undefined) return undefined;
  return {
    kind: 'savepoint',
    path: location.replace(/\/+$/, ''),
    run: run.runId,
    ...defined({ format: job.state?.format }),
  };
}
