import { DispatchError } from '../core/errors.ts';
import type { ClusterRef } from '../cluster/port.ts';
import type { ResolvedJob } from '../job/job.ts';
import { hasRestTls } from '../job/rest-reach.ts';
import { requireAttempt } from '../run/machine.ts';
import type { RunRecord } from '../run/record.ts';

export function requireJob(record: RunRecord): ResolvedJob {
  if (record.job === undefined)
    throw new DispatchError('Internal', `run ${record.runId} has no job in ${record.state}`);
  return record.job;
}

/** The cluster of the current attempt. */
export function clusterOf(record: RunRecord): ClusterRef {
  const job = requireJob(record);
  const { clusterId } = requireAttempt(record);
  return { namespace: job.namespace, clusterId, ...(hasRestTls(job) ? { restTls: true } : {}) };
}
