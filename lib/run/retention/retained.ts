import { hasFixedJobId, hasHighAvailability } from '../../job/high-availability.ts';
import { below } from '../../state/storage.ts';
import type { RunRecord } from '../record.ts';

/** Where Flink puts a job's checkpoints; the first that is set, as Flink reads them. */
const CHECKPOINTS = ['execution.checkpointing.dir', 'state.checkpoints.dir'] as const;

/**
 * What of a run no clean-up removes, by URI or by `ConfigMap/name`: storage, for which the dispatcher has no credentials,
 * and what a person would restore the job from.
 */
export function retained({ job, attempts, outcome }: RunRecord): readonly string[] {
  if (job === undefined || job.mode === 'session') return [];
  const { options } = job;
  const checkpoints = CHECKPOINTS.map((key) => options[key]).find((dir) => dir !== undefined);
  const storage = hasHighAvailability(options) ? options['high-availability.storageDir'] : undefined;
  const unknown = outcome?.state === 'unknown' && hasHighAvailability(options);
  const all = attempts.flatMap(({ clusterId, jobId, runningAt, outcome: own }, index) => [
    ...(storage === undefined ? [] : stateOf(options, storage, clusterId)),
    // A job that ends by itself takes its checkpoints along, as far as it was told to.
    ...(checkpoints === undefined || own?.flinkState !== undefined || !(hasFixedJobId(job) || runningAt !== undefined)
      ? []
      : [below(checkpoints, jobId)]),
    ...(unknown && index === attempts.length - 1 ? [`ConfigMap/${clusterId}-*`] : []),
  ]);
  return [...new Set(all)];
}

/** Jobs and their pointers to checkpoints; and that the job has ended. */
function stateOf(options: Readonly<Record<string, string>>, storage: string, clusterId: string): readonly string[] {
  const id = options['high-availability.cluster-id'] ?? clusterId;
  const results = options['job-result-store.storage-path'] ?? below(storage, 'job-result-store', id);
  return [below(storage, id), results];
}
