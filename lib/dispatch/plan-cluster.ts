import { finishCluster } from '../flink/finished.ts';
import { checkOptions } from '../flink/options/check.ts';
import type { FlinkCluster } from '../flink/cluster.ts';
import type { ClusterId, JobId } from '../core/ids.ts';
import { clusterRequest } from '../job/cluster-request.ts';
import type { ResolvedJob } from '../job/job.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { withNeed } from '../kubernetes/admission/admit.ts';
import { clusterNeed, type ClusterNeed } from '../kubernetes/admission/cluster-need.ts';
import { withDelivery, withSecret } from '../delivery/with-delivery.ts';
import { ownerMetadata } from '../kubernetes/cluster/owner-metadata.ts';
import { withStartPermit } from '../kubernetes/cluster/start-permit.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { Owner } from '../kubernetes/cluster/port.ts';

export interface ClusterPlan {
  readonly clusterId: ClusterId;
  readonly jobId: JobId;
  readonly owner: Owner;
  readonly restoredFrom?: Snapshot;
  readonly delivery: Delivery;
}

/** With what it takes of a quota. */
export interface PlannedCluster extends FlinkCluster {
  readonly need: ClusterNeed;
}

/**
 * The objects of one attempt: Flink's own for the job's options, and on top what a dispatched run needs.
 * @throws DispatchError `InvalidConfiguration`, `InvalidName`, `InvalidSpec` or `UnsupportedFlinkVersion` for what Flink
 * would refuse, and for a misspelt key that it would ignore.
 */
export function planCluster(job: ResolvedJob, plan: ClusterPlan): PlannedCluster {
  const { delivery } = plan;
  const own = clusterRequest(job, { ...plan, jarUri: delivery.jarUri, marks: ownerMetadata(plan.owner) });
  const request = withDelivery(own, delivery);
  checkOptions(request);
  const finished = finishCluster(request, job.mode === 'standalone' ? 'standalone' : 'native');
  const need = clusterNeed(finished, job.kind);
  return { ...withSecret(withNeed(withStartPermit(finished.cluster), need), delivery), need };
}
