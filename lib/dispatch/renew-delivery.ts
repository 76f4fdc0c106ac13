import { defined } from '../core/defined.ts';
import type { Owner } from '../kubernetes/cluster/port.ts';
import { withSignedUrl } from '../delivery/with-delivery.ts';
import { updateAttempt } from '../run/machine.ts';
import type { ActiveRun, Attempt } from '../run/record.ts';
import { renewalIsDue } from '../run/renewal.ts';
import type { AttemptContext } from './attempt-context.ts';
import { planCluster } from './plan-cluster.ts';

/** Of an attempt that was launched before there was any. */
const NO_FAST_START = { jobManager: [], taskManager: [] };
/** After a renewal that failed: the URL before it is good for some time yet. */
const AGAIN = 60_000;

/**
 * Gives the pods to come a fresh signed URL before the old one ends, so that a JobManager which Kubernetes makes anew a
 * week later finds its jar. What goes wrong here is no reason to give the run up.
 */
export async function renewDelivery(at: AttemptContext<ActiveRun>, owner: Owner): Promise<ActiveRun> {
  const { run, job, attempt, ref, target, deps } = at;
  if (!renewalIsDue(run, deps.clock.now())) return run;
  try {
    const { clusterId, jobId, restoredFrom } = attempt;
    // What its JVMs are started with stays as the attempt was launched.
    const launched = attempt.fastStart ?? NO_FAST_START;
    const delivery = await deps.deliver(job, ref, { launched, ...defined({ tenant: run.tenant }) });
    const cluster = planCluster(job, { clusterId, jobId, owner, delivery, ...defined({ restoredFrom }) });
    await target.cluster.renew(ref, owner, withSignedUrl(cluster, delivery));
    return renewedUntil(run, delivery.renewAt);
  } catch (error) {
    deps.log.warn('the jar was not delivered anew', { runId: run.runId, error });
    return updateAttempt(run, { renewAt: deps.clock.now() + AGAIN });
  }
}

export function renewedUntil(record: ActiveRun, renewAt: Attempt['renewAt']): ActiveRun {
  return renewAt === undefined ? record : updateAttempt(record, { renewAt });
}
