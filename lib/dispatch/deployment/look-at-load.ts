import { mapConcurrent } from '../../core/map-concurrent.ts';
import { noteLoad } from '../../deployment/scale/autoscale.ts';
import type { LoadSample } from '../../deployment/scale/recommend.ts';
import type { JobVertex } from '../../flink/job-manager.ts';
import { scaleOf } from '../../job/scale.ts';
import { hasAttempt } from '../../run/machine.ts';
import type { LaunchedRun, RunRecord } from '../../run/record.ts';
import { openAttempt } from '../attempt-context.ts';
import type { DispatchDeps } from '../deps.ts';
import type { Found } from './take-snapshot.ts';

/** Vertices of a job that are asked; one with more is judged by the first of them. */
const MOST = 50;
const AT_ONCE = 8;

type Sample = Omit<LoadSample, 'at'>;

/** Asks the JobManager how much its job has to do. Trouble in asking says nothing of the job. */
export async function lookAtLoad(run: RunRecord, deps: DispatchDeps): Promise<Found> {
  const sample = hasAttempt(run) ? await ask(run, deps) : undefined;
  const at = deps.clock.now();
  return (record) => noteLoad(record, run.runId, at, sample);
}

async function ask(run: LaunchedRun, deps: DispatchDeps): Promise<Sample | undefined> {
  try {
    const { target, ref, attempt } = await openAttempt(run, deps);
    const flink = target.rescaling(ref);
    const followers = followersOf(await flink.vertices(attempt.jobId), run, attempt.fixedVertices);
    const { parallelism } = followers[0] ?? {};
    // While it is being changed, or begins anew, what is told is of before.
    if (parallelism === undefined || followers.some((one) => !one.allRun || one.parallelism !== parallelism))
      return undefined;
    const loads = await mapConcurrent(followers.slice(0, MOST), AT_ONCE, ({ id }) => flink.load(attempt.jobId, id));
    const measured = loads.filter((one) => one !== undefined);
    if (measured.length === 0) return undefined;
    // Nobody knows what the others have to do: none is taken away from them.
    const held = measured.length < loads.length ? [1] : measured.map((one) => one.busy + one.backPressured);
    return { parallelism, busy: share(measured.map((one) => one.busy)), held: share(held) };
  } catch (error) {
    deps.log.warn('a JobManager does not tell of the load', { runId: run.runId, error });
    return undefined;
  }
}

/** The vertices that have another parallelism when the options do. */
function followersOf(
  vertices: readonly JobVertex[],
  { job }: LaunchedRun,
  fixed: readonly string[] | undefined,
): readonly JobVertex[] {
  const scale = scaleOf(job.options);
  const free = vertices.filter(({ id }) => scale.vertices?.[id] === undefined);
  if (fixed !== undefined) return free.filter(({ id }) => !fixed.includes(id));
  return free.filter(({ parallelism }) => parallelism === scale.parallelism);
}

function share(values: readonly number[]): number {
  return Math.round(Math.min(1, Math.max(0, ...values)) * 1000) / 1000;
}
