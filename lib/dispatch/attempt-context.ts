import type { ClusterRef } from '../kubernetes/cluster/port.ts';
import { hasRestTls } from '../job/config/rest-access.ts';
import type { ResolvedJob } from '../job/job.ts';
import { currentAttempt } from '../run/machine.ts';
import type { Attempt, LaunchedRun } from '../run/record.ts';
import type { DispatchDeps } from './deps.ts';
import type { Target } from './targets.ts';

/** One attempt in one step: what is on record of it, where it runs, and the outside. */
export interface AttemptContext<R extends LaunchedRun = LaunchedRun> {
  readonly run: R;
  readonly job: ResolvedJob;
  /** The run's current one. */
  readonly attempt: Attempt;
  /** The cluster of the attempt. */
  readonly ref: ClusterRef;
  readonly target: Target;
  readonly deps: DispatchDeps;
}

/** @throws DispatchError of a target that cannot be opened: no fault of the request. */
export async function openAttempt<R extends LaunchedRun>(run: R, deps: DispatchDeps): Promise<AttemptContext<R>> {
  const { target: name } = run.job;
  return contextOf(run, await deps.targets(name), deps);
}

/** The same step, with what it has changed on the record. */
export function withRun<R extends LaunchedRun>({ target, deps }: AttemptContext, run: R): AttemptContext<R> {
  return contextOf(run, target, deps);
}

function contextOf<R extends LaunchedRun>(run: R, target: Target, deps: DispatchDeps): AttemptContext<R> {
  const { job }: LaunchedRun = run;
  const attempt = currentAttempt(run);
  const { clusterId } = attempt;
  const ref = { namespace: job.namespace, clusterId, ...(hasRestTls(job) ? { restTls: true } : {}) };
  return { run, job, attempt, ref, target, deps };
}
