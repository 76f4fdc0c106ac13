import type { ClusterId } from '../../core/ids.ts';
import { jobIdFor } from '../../core/ids.ts';
import { omit } from '../../core/omit.ts';
import { finishCluster } from '../../flink/finished.ts';
import { checkOptions } from '../../flink/options/check.ts';
import type { StandaloneRequest } from '../../flink/standalone/build-standalone.ts';
import { clusterRequest } from '../../job/cluster-request.ts';
import type { ResolvedJob } from '../../job/job.ts';
import { withNeed } from '../../kubernetes/admission/admit.ts';
import { clusterNeed } from '../../kubernetes/admission/cluster-need.ts';
import { ownerMetadata } from '../../kubernetes/cluster/owner-metadata.ts';
import type { RunOwner } from '../../kubernetes/cluster/port.ts';
import { withStartPermit } from '../../kubernetes/cluster/start-permit.ts';
import type { PlannedCluster } from '../plan-cluster.ts';

const SLOTS = 'slotmanager.number-of-slots.min';

/**
 * The cluster of a job that is handed to it later: that of its application, with an entry point that begins no program,
 * and with TaskManagers that do not wait for a job. It takes as much of a quota as it will with its job.
 * @throws DispatchError as `planCluster`
 */
export function planPrepared(
  job: ResolvedJob,
  { clusterId, owner }: { readonly clusterId: ClusterId; readonly owner: RunOwner },
): PlannedCluster {
  const own = clusterRequest(job, {
    clusterId,
    jobId: jobIdFor(owner.runId, owner.attempt),
    jarUri: job.jar.uri,
    marks: ownerMetadata(owner),
  });
  const request: StandaloneRequest = {
    ...omit(own, 'program', 'taskManagers'),
    mode: 'session',
    options: options(job, own),
  };
  checkOptions(request);
  const finished = finishCluster(request, 'native');
  const need = clusterNeed(finished, job.kind);
  return { ...withNeed(withStartPermit(finished.cluster), need), need };
}

/** What the job takes at once, as far as its options tell it. */
export function slotsOf({
  options: { 'parallelism.default': parallelism = '1' },
}: Pick<ResolvedJob, 'options'>): number {
  return Number(parallelism);
}

function options(job: ResolvedJob, own: StandaloneRequest): StandaloneRequest['options'] {
  return {
    ...omit(own.options, '$internal.pipeline.job-id'),
    [SLOTS]: job.options[SLOTS] ?? String(slotsOf(job)),
    'web.submit.enable': 'true',
  };
}
