import { awaitSavepoint } from '../../../../lib/flink/rest/savepoints.ts';
import { has, valueOf, type Execute } from '../command.ts';
import { connect } from '../clusters/connect.ts';
import { printJson } from '../terminal/io.ts';
import { createProgress } from '../terminal/progress.ts';
import { savepointRequest, SAVEPOINT_TIMEOUT } from '../flags/savepoint-flags.ts';
import { selectCluster, selectJob } from '../flags/select.ts';
import { readSettings } from '../flags/settings.ts';

/** Takes a savepoint of a job, or disposes of one. */
export const execute: Execute = async (io, parsed) => {
  const settings = readSettings(io, parsed);
  const path = valueOf(parsed, 'dispose');
  const [jobId, directory] = parsed.args;
  const request = savepointRequest(directory, valueOf(parsed, 'type'));
  const kubernetes = await connect(settings, io);
  const selected =
    path === undefined
      ? await selectJob(kubernetes, settings, jobId)
      : { cluster: await selectCluster(kubernetes, settings), jobId: undefined };
  const { savepoints } = kubernetes.rest(selected.cluster);
  const operation =
    selected.jobId === undefined
      ? await savepoints.dispose(path ?? '')
      : await savepoints.trigger(selected.jobId, request);
  const ids = { clusterId: selected.cluster.clusterId, jobId: selected.jobId, triggerId: operation.triggerId };
  if (has(parsed, 'detached')) {
    if (has(parsed, 'json')) printJson(io, ids);
    else io.out(`Triggered operation ${ids.triggerId}\n`);
    return 0;
  }
  const progress = createProgress(io);
  try {
    progress.say(path === undefined ? `savepoint of job ${ids.jobId ?? ''}` : `disposing of ${path}`);
    const savepoint = await awaitSavepoint(savepoints, operation, io.clock, { timeout: SAVEPOINT_TIMEOUT });
    progress.end();
    if (has(parsed, 'json')) printJson(io, { ...ids, savepoint: path ?? savepoint });
    else io.out(path === undefined ? `Savepoint completed. Path: ${savepoint}\n` : `Savepoint '${path}' disposed.\n`);
    return 0;
  } finally {
    progress.end();
  }
};
