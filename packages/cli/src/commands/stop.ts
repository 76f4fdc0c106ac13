import { awaitSavepoint } from '../../../../lib/flink/rest/savepoints.ts';
import { has, valueOf, type Execute } from '../command.ts';
import { connect } from '../clusters/connect.ts';
import { letGo } from '../follow/let-go.ts';
import { printJson } from '../terminal/io.ts';
import { createProgress } from '../terminal/progress.ts';
import { savepointArguments, savepointRequest, SAVEPOINT_TIMEOUT } from '../flags/savepoint-flags.ts';
import { selectJob } from '../flags/select.ts';
import { readSettings } from '../flags/settings.ts';

/** Stops a job with a savepoint. */
export const execute: Execute = async (io, parsed) => {
  const settings = readSettings(io, parsed);
  const { jobId, targetDirectory } = savepointArguments(parsed, 'savepointPath');
  const request = { ...savepointRequest(targetDirectory, valueOf(parsed, 'type')), drain: has(parsed, 'drain') };
  const kubernetes = await connect(settings, io);
  const selected = await selectJob(kubernetes, settings, jobId);
  const { savepoints } = kubernetes.rest(selected.cluster);
  const progress = createProgress(io);
  try {
    const operation = await savepoints.stop(selected.jobId, request);
    const ids = { clusterId: selected.cluster.clusterId, jobId: selected.jobId, triggerId: operation.triggerId };
    if (has(parsed, 'detached')) {
      if (has(parsed, 'json')) printJson(io, ids);
      else io.out(`Stopping job ${ids.jobId}, operation ${ids.triggerId}\n`);
      return 0;
    }
    progress.say(`${request.drain ? 'draining' : 'suspending'} job ${ids.jobId} with a savepoint`);
    const savepoint = await awaitSavepoint(savepoints, operation, io.clock, { timeout: SAVEPOINT_TIMEOUT });
    await letGo(io, kubernetes, selected.cluster, progress);
    progress.end();
    if (has(parsed, 'json')) printJson(io, { ...ids, savepoint });
    else io.out(`Savepoint completed. Path: ${savepoint}\n`);
    return 0;
  } finally {
    progress.end();
  }
};
