import { describeError } from '../core/errors.ts';
import type { Owner } from '../cluster/port.ts';
import { withSignedUrl } from '../delivery/with-delivery.ts';
import { requireAttempt, updateAttempt } from '../run/machine.ts';
import type { Attempt, RunRecord } from '../run/record.ts';
import { renewalIsDue } from '../run/renewal.ts';
import { clusterOf, requireJob } from './job-of.ts';
import type { AttemptAt } from './modes.ts';
import { planCluster } from './plan-cluster.ts';

/** After a renewal that failed: the URL before it is good for some time yet. */
const AGAIN = 60_000;

/**
 * Gives the pods to come a fresh signed URL before the old one ends, so that a JobManager which Kubernetes makes anew a
 * week later finds its jar. What goes wrong here is no reason to give the run up.
 */
export async function renewDelivery({ record, target, deps }: AttemptAt, owner: Owner): Promise<RunRecord> {
  if (!renewalIsDue(record, deps.clock.now())) return record;
  try {
    const job = requireJob(record);
    const { clusterId, jobId } = requireAttempt(record);
    const delivery = await deps.deliver(job, clusterOf(record), 'again');
    const cluster = planCluster(job, { clusterId, jobId, owner, delivery });
    await target.renewals.renew(clusterOf(record), owner, withSignedUrl(cluster, delivery));
    return renewedUntil(record, delivery.renewAt);
  } catch (error) {
    deps.log.warn('the jar was not delivered anew', { runId: record.runId, error: describeError(error) });
    return updateAttempt(record, { renewAt: deps.clock.now() + AGAIN });
  }
}

export function renewedUntil(record: RunRecord, renewAt: Attempt['renewAt']): RunRecord {
  return renewAt === undefined ? record : updateAttempt(record, { renewAt });
}
