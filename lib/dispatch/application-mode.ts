import { describeError } from '../core/errors.ts';
import { removeAndProve } from '../cleanup/remove.ts';
import { created, requireAttempt } from '../run/machine.ts';
import type { Observation } from '../run/observation.ts';
import type { RunRecord } from '../run/record.ts';
import { clusterOf, requireJob } from './job-of.ts';
import type { AttemptAt, Mode } from './modes.ts';
import { observe } from './observe.ts';
import { planCluster } from './plan-cluster.ts';

/** A cluster of its own for every attempt, which begins the program by itself and goes with it. */
export const applicationMode: Mode = {
  launch: makeCluster,
  observe: ({ record, target, deps }) => observe(target, clusterOf(record), requireAttempt(record).jobId, deps.clock),
  async act(at, seen) {
    await passOnCancel(at, seen);
    return { record: at.record };
  },
  removeAndProve: ({ record, target }, what) => removeAndProve(target.clusters, clusterOf(record), what),
};

async function makeCluster({ record, target, deps }: AttemptAt): Promise<RunRecord> {
  const job = requireJob(record);
  const { number, clusterId, jobId } = requireAttempt(record);
  const owner = { runId: record.runId, attempt: number, ledger: deps.eventContext.ledgerBucket };
  const delivery = await deps.deliver(job, clusterOf(record));
  await target.clusters.apply(planCluster(job, { clusterId, jobId, owner, delivery }), owner);
  return created(record, deps.clock.now());
}

/** Asking again does no harm; a JobManager that does not hear it loses its cluster when the grace is over. */
export async function passOnCancel({ record, target, deps }: AttemptAt, seen: Observation): Promise<void> {
  const { jobId } = requireAttempt(record);
  if (record.cancelRequested === undefined || seen.rest.state !== 'answered') return;
  if (!seen.rest.facts.jobs.some((job) => job.id === jobId)) return;
  try {
    await target.jobManager(clusterOf(record)).cancel(jobId);
  } catch (error) {
    deps.log.warn('cancel was not taken', { runId: record.runId, error: describeError(error) });
  }
}
