import { DispatchError, isDispatchError } from '../../core/errors.ts';
import type { DeploymentId, RunId } from '../../core/ids.ts';
import type { DeploymentRecord } from '../../deployment/record.ts';
import type { ResolvedJob } from '../../job/job.ts';
import type { Prepared } from '../../job/prepare.ts';
import { hasSavepointDirectory, type TakenFor } from '../../job/state-plan.ts';
import type { ActiveRun } from '../../run/record.ts';
import type { RunRequest } from '../../trigger/request.ts';
import { isUnbounded, maybeUnbounded } from '../../verdict/kind.ts';
import type { DispatchDeps } from '../deps.ts';
import { deploymentOfJob, isStream, type TakenRun } from './accept-deployment.ts';
import { liveStreams, type LiveStreamDeps } from './live-streams.ts';

export interface Asked {
  readonly request: RunRequest;
  readonly runId: RunId;
  /** The same request as a stream, whatever its spec says. */
  readonly prepareAs: (takenFor: TakenFor) => Promise<Prepared>;
}

export interface Streamed extends Prepared {
  readonly takes?: TakenRun;
}

type Deps = LiveStreamDeps & Pick<DispatchDeps, 'deployments'>;

/**
 * What a request is, by its spec and by what goes on: an upload is a version of the deployment that has its key, and a stream
 * takes the place of a plain run of its name that Flink runs as one, so that no two of them run.
 * @throws DispatchError `InvalidSpec` where both would run, naming what to do; as `prepareRun`
 */
export async function asStream(prepared: Prepared, asked: Asked, deps: Deps): Promise<Streamed> {
  const { job } = prepared;
  if (job.mode === 'session') return prepared;
  if (isStream(job)) return ofStream(prepared, 'said', asked, deps);
  const { source } = asked.request;
  if (source.kind !== 'jar-upload') return prepared;
  const owner = await deps.deployments.uploadsOf(source);
  const takenFor = owner === undefined ? undefined : await asVersionOf(owner, asked, deps);
  if (takenFor !== undefined) return ofStream(noting(await asked.prepareAs(takenFor)), takenFor, asked, deps);
  return besideRun(prepared, asked, deps);
}

/** Undefined: what has its key is over, and this is no version of it. */
async function asVersionOf(
  owner: DeploymentId,
  { runId }: Asked,
  { deployments }: Deps,
): Promise<TakenFor | undefined> {
  const record = (await deployments.read(owner))?.value;
  const isVersion = !isOver(record) || (await deployments.readRequest(owner, runId)) !== undefined;
  // Whoever claimed the key and made no record of it may have been about to take a run over.
  if (record === undefined) return 'guess';
  return isVersion ? (record.guessed === true ? 'guess' : 'stream') : undefined;
}

function isOver(record: DeploymentRecord | undefined): boolean {
  return record?.state === 'finished' || record?.state === 'deleted';
}

/** The first of a deployment: what runs already is one of its own. */
async function ofStream(
  prepared: Prepared,
  why: TakenFor | 'said',
  { request: { tenant }, runId }: Asked,
  deps: Deps,
): Promise<Streamed> {
  const { job } = prepared;
  const id = deploymentOfJob(job, tenant);
  const record = (await deps.deployments.read(id))?.value;
  const isFirst = record === undefined || (isOver(record) && !(await deps.deployments.readRequest(id, runId)));
  const [run, ...others] = isFirst ? await liveStreams(job, tenant, deps) : [];
  if (run === undefined) return prepared;
  if (others.length > 0 || !canTake(run, job)) throw bothWouldRun([run, ...others], job);
  return { ...prepared, takes: { run, guessed: why === 'guess' && !isUnbounded(run) } };
}

/** An upload of which nothing says that it is a stream, beside a run of the same key of which Flink does. */
async function besideRun(prepared: Prepared, asked: Asked, deps: Deps): Promise<Streamed> {
  const { job, kind } = prepared;
  if (job.concurrency !== undefined || saysMode(job)) return prepared;
  const may = kind === 'batch' ? isUnbounded : maybeUnbounded;
  const runs = (await liveStreams(job, asked.request.tenant, deps)).filter((run) => isOfKey(run, asked) && may(run));
  const [run, ...others] = runs;
  if (run === undefined) return prepared;
  const takenFor = isUnbounded(run) ? 'stream' : 'guess';
  const stream = others.length > 0 ? undefined : await asked.prepareAs(takenFor).catch(unlessRefused);
  if (stream === undefined || !canTake(run, stream.job)) return beside(prepared, runs);
  return { ...noting(stream), takes: { run, guessed: takenFor === 'guess' } };
}

/** AUTOMATIC leaves it to Flink. */
function saysMode({ options }: ResolvedJob): boolean {
  const mode = options['execution.runtime-mode']?.toUpperCase();
  return mode !== undefined && mode !== 'AUTOMATIC';
}

function isOfKey({ source: theirs }: ActiveRun, { request: { source: ours } }: Asked): boolean {
  if (theirs.kind !== 'jar-upload' || ours.kind !== 'jar-upload') return false;
  return theirs.bucket === ours.bucket && theirs.key === ours.key;
}

/** It has no directory for its state, so that it can be no stream. */
function unlessRefused(error: unknown): undefined {
  if (!isDispatchError(error) || error.class !== 'user') throw error;
}

function canTake({ job }: ActiveRun, { state }: ResolvedJob): boolean {
  return state?.upgradeMode === 'stateless' || hasSavepointDirectory(job);
}

function noting(prepared: Prepared): Prepared {
  if (prepared.kind !== 'batch') return prepared;
  return withNote(prepared, 'job.kind batch has no effect: the uploads of this key are versions of one stream');
}

function beside(prepared: Prepared, runs: readonly ActiveRun[]): Prepared {
  const note = `${named(runs, ' of this key')} on beside it, and Flink runs it as a stream: say job.kind: streaming, with a directory for savepoints, to have the next version take its place`;
  return withNote(prepared, note);
}

function withNote(prepared: Prepared, note: string): Prepared {
  return { ...prepared, job: { ...prepared.job, notes: [...(prepared.job.notes ?? []), note] } };
}

function bothWouldRun(runs: readonly ActiveRun[], { name }: ResolvedJob): DispatchError {
  const ids = runs.map(({ runId }) => runId);
  const why =
    runs.length > 1
      ? 'only one can be its first run'
      : 'it has no directory for a savepoint, which would keep its state';
  const message = `${named(runs)} on as ${name}, which Flink runs as a stream, and ${why}: both would run. First flink-dispatch runs cancel ${ids.join(' ')}`;
  return new DispatchError('InvalidSpec', message, { field: 'job.kind' });
}

function named(runs: readonly ActiveRun[], which = ''): string {
  const ids = runs.map(({ runId }) => runId).join(', ');
  return runs.length === 1 ? `run ${ids}${which} goes` : `runs ${ids}${which} go`;
}
