import { buildCluster } from '../flink/native/build-cluster.ts';
import { buildStandalone, type StandaloneRequest } from '../flink/standalone/build-standalone.ts';
import { checkOptions } from '../flink/options/check.ts';
import type { ClusterRequest, FlinkCluster } from '../flink/cluster.ts';
import type { ClusterId, JobId } from '../core/ids.ts';
import { hasHighAvailability } from '../job/high-availability.ts';
import type { ResolvedJob } from '../job/job.ts';
import { programOf } from '../job/program.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { withDelivery, withSecret } from '../delivery/with-delivery.ts';
import { marksFor } from '../cluster/marks.ts';
import { withStartPermit } from '../cluster/start-permit.ts';
import type { Owner } from '../cluster/port.ts';

export interface ClusterPlan {
  readonly clusterId: ClusterId;
  readonly jobId: JobId;
  readonly owner: Owner;
  readonly delivery: Delivery;
}

/**
 * The objects of one attempt: Flink's own for the job's options, and on top what a dispatched run needs.
 * @throws DispatchError `InvalidConfiguration`, `InvalidName`, `InvalidSpec` or `UnsupportedFlinkVersion` for what Flink
 * would refuse, and for a misspelt key that it would ignore.
 */
export function planCluster(job: ResolvedJob, plan: ClusterPlan): FlinkCluster {
  const { delivery } = plan;
  const own: ClusterRequest = {
    flinkVersion: job.flinkVersion,
    mode: 'application',
    options: { ...job.options, ...runOptions(job, plan) },
    podTemplates: job.podTemplates,
    ...(job.logConfiguration && { logFiles: job.logConfiguration }),
    program: programOf(job, delivery.jarUri),
    marks: marksFor(plan.owner),
  };
  const request = withDelivery(own, delivery);
  checkOptions(request);
  const cluster = job.mode === 'standalone' ? buildStandalone(standalone(job, request)) : buildCluster(request);
  return withSecret(withStartPermit(cluster), delivery);
}

function standalone({ taskManagers }: ResolvedJob, request: ClusterRequest): StandaloneRequest {
  return { ...request, ...(taskManagers === undefined ? {} : { taskManagers }) };
}

function runOptions(job: ResolvedJob, plan: ClusterPlan): Record<string, string> {
  return {
    'kubernetes.cluster-id': plan.clusterId,
    'kubernetes.namespace': job.namespace,
    // The job is recognised by this id whoever asks, and a second execute() of it is refused.
    '$internal.pipeline.job-id': plan.jobId,
    // A JobMaster that asks for its ResourceManager a moment too early waits this long; Flink's default is 10 s.
    'cluster.registration.error-delay': job.options['cluster.registration.error-delay'] ?? '500 ms',
    // The JobManager stays up until its end was read.
    'execution.shutdown-on-application-finish': 'false',
    ...(hasHighAvailability(job.options) ? resultStoreOptions(job) : {}),
    ...(keepsFailedMain(job) ? { 'execution.submit-failed-job-on-application-error': 'true' } : {}),
  };
}

/**
 * By default Flink forgets a job's end once it has cleaned up after it: a JobManager that starts later would run the job
 * again. The store's default path has the cluster's id, which no two attempts share.
 */
function resultStoreOptions({ options }: ResolvedJob): Record<string, string> {
  const key = 'job-result-store.delete-on-commit';
  return { [key]: options[key] ?? 'false' };
}

/** Before 2.3 the JobManager refuses the option without high availability, and exits. */
function keepsFailedMain(job: ResolvedJob): boolean {
  const [major = 0, minor = 0] = job.flinkVersion.split('.').map(Number);
  return hasHighAvailability(job.options) || major > 2 || (major === 2 && minor >= 3);
}
