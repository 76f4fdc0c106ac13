import { awaitSavepoint } from '../../../../lib/flink/rest/savepoints.ts';
import { isTerminal } from '../../../../lib/flink/job-state.ts';
import { isDispatchError } from '../../../../lib/core/errors.ts';
import { has, valueOf, type Execute } from '../command.ts';
import { connect, type Kubernetes } from '../clusters/connect.ts';
import { printJson, type Io } from '../terminal/io.ts';
import { createProgress } from '../terminal/progress.ts';
import { savepointArguments, savepointRequest, SAVEPOINT_TIMEOUT } from '../flags/savepoint-flags.ts';
import { selectJob, type SelectedJob } from '../flags/select.ts';
import { readSettings } from '../flags/settings.ts';
import { letGo } from '../follow/let-go.ts';
import { findNativeCluster } from '../clusters/native-clusters.ts';

const TIMEOUT = 60_000;

/**
 * Cancels a job, and waits until it has ended. The JobManager of an application goes away right after: that its cluster
 * is gone is then the proof.
 */
export const execute: Execute = async (io, parsed) => {
  const settings = readSettings(io, parsed);
  const kubernetes = await connect(settings, io);
  const { jobId, targetDirectory } = savepointArguments(parsed, 'withSavepoint');
  const selected = await selectJob(kubernetes, settings, jobId);
  const progress = createProgress(io);
  try {
    const savepoint = has(parsed, 'withSavepoint')
      ? await cancelWithSavepoint(kubernetes, selected, io, { targetDirectory, formatType: valueOf(parsed, 'type') })
      : await kubernetes
          .rest(selected.cluster)
          .jobManager.cancel(selected.jobId)
          .then(() => undefined);
    progress.say(`job ${selected.jobId} is asked to cancel`);
    const state = await ended(kubernetes, selected, io);
    if (state !== 'CANCELLING') await letGo(io, kubernetes, selected.cluster, progress);
    progress.end();
    const { clusterId } = selected.cluster;
    if (has(parsed, 'json')) printJson(io, { clusterId, jobId: selected.jobId, state, savepoint });
    else
      io.out(
        `${state === 'CANCELLING' ? 'Cancelling' : 'Cancelled'} job ${selected.jobId}${savepoint === undefined ? '' : `, savepoint ${savepoint}`}\n`,
      );
    return 0;
  } finally {
    progress.end();
  }
};

/** Deprecated in Flink, which then takes the savepoint and cancels: the same two steps. */
async function cancelWithSavepoint(
  kubernetes: Kubernetes,
  { cluster, jobId }: SelectedJob,
  io: Io,
  given: { targetDirectory: string | undefined; formatType: string | undefined },
): Promise<string> {
  const { savepoints, jobManager } = kubernetes.rest(cluster);
  const request = savepointRequest(given.targetDirectory, given.formatType);
  const operation = await savepoints.trigger(jobId, request);
  const path = await awaitSavepoint(savepoints, operation, io.clock, { timeout: SAVEPOINT_TIMEOUT });
  await jobManager.cancel(jobId);
  return path;
}

async function ended(kubernetes: Kubernetes, { cluster, jobId }: SelectedJob, io: Io): Promise<string> {
  const deadline = io.clock.now() + TIMEOUT;
  const { jobManager } = kubernetes.rest(cluster);
  while (io.clock.now() < deadline && !io.interrupted.aborted) {
    try {
      const job = (await jobManager.overview()).jobs.find(({ id }) => id === jobId);
      if (job === undefined || isTerminal(job.state)) return job?.state ?? 'CANCELED';
    } catch (error) {
      if (!isDispatchError(error) || !error.retryable) throw error;
      if ((await findNativeCluster(kubernetes.api, cluster.namespace, cluster.clusterId)) === undefined)
        return 'CANCELED';
    }
    await io.clock.sleep(250);
  }
  return 'CANCELLING';
}
