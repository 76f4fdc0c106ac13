import type { Health } from '../../deployment/record.ts';
import { allTasksRun } from '../../flink/all-tasks-run.ts';
import { hasAttempt } from '../../run/machine.ts';
import type { LaunchedRun, RunRecord } from '../../run/record.ts';
import { openAttempt } from '../attempt-context.ts';
import type { DispatchDeps } from '../deps.ts';
import type { Found } from './take-snapshot.ts';

interface Told {
  readonly own: boolean;
  readonly newestAt?: number;
  readonly health: Omit<Health, 'at'>;
}

/** Asks the JobManager how its job goes. What it does not tell counts as nothing since the run began. */
export async function look(run: RunRecord, deps: DispatchDeps): Promise<Found> {
  const told = hasAttempt(run) ? await ask(run, deps) : undefined;
  const at = deps.clock.now();
  return (record) => {
    if (record.run?.id !== run.runId) return record;
    const { own = false } = record.run.checkpoints ?? {};
    if (told === undefined) return { ...record, run: { ...record.run, checkpoints: { at, own } } };
    const { health, newestAt } = told;
    // A JobManager that was replaced counts from the beginning.
    const checkpoints = { at, own: own || told.own, ...(newestAt !== undefined && { newestAt }) };
    return { ...record, run: { ...record.run, checkpoints, health: { at, ...health } } };
  };
}

async function ask(run: LaunchedRun, deps: DispatchDeps): Promise<Told | undefined> {
  try {
    const { target, ref, attempt } = await openAttempt(run, deps);
    const flink = target.application(ref);
    const [{ newest, completedSinceRestore, failed, inProgress }, { jobs }, restarts] = await Promise.all([
      flink.checkpoints(attempt.jobId),
      flink.overview(),
      flink.restarts(attempt.jobId),
    ]);
    const job = jobs.find(({ id }) => id === attempt.jobId);
    const tasksRun = job !== undefined && allTasksRun(job);
    const health = { tasksRun, restarts, failedCheckpoints: failed, takesCheckpoint: inProgress > 0 };
    return { own: completedSinceRestore > 0, ...(newest && { newestAt: newest.at }), health };
  } catch (error) {
    deps.log.warn('a JobManager does not tell of its job', { runId: run.runId, error });
    return undefined;
  }
}
