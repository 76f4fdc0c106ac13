import { isDispatchError } from '../../core/errors.ts';
import { clusterIdFor, jobIdFor, runIdFor } from '../../core/ids.ts';
import { finishCluster, type FinishedCluster } from '../../flink/finished.ts';
import type { DispatchConfig } from '../config/dispatch-config.ts';
import { exposure } from '../config/exposure.ts';
import { clusterRequest } from '../cluster-request.ts';
import type { ResolvedJob } from '../job.ts';
import { MANAGED_LABEL } from '../own-marks.ts';
import { isFreed } from '../policy/policy-options.ts';
import { optionsOf } from '../spec/options.ts';
import { podTemplatesOf } from '../spec/pod-template.ts';
import type { JobSpec } from '../spec/spec.ts';

/** Any run: what is judged is the same for all of them. */
const RUN = runIdFor('judged');

/** @throws DispatchError for what Flink's client would refuse */
export function buildJob(job: ResolvedJob): FinishedCluster {
  // what is delivered from elsewhere is the dispatcher's own affair
  const jarUri = job.jar.uri.startsWith('local:') ? job.jar.uri : 'https://jar.invalid/job.jar';
  const request = clusterRequest(job, {
    clusterId: clusterIdFor(job.name, RUN, 1),
    jobId: jobIdFor(RUN, 1),
    jarUri,
    marks: { labels: { [MANAGED_LABEL]: 'flink-dispatch' }, annotations: {} },
  });
  return finishCluster(request, job.mode === 'standalone' ? 'standalone' : 'native');
}

/**
 * The same job as far as the deployment itself says it, with what the deployment lets users say without a look: whatever
 * equals it needs no leave.
 */
export function buildBaseline(job: ResolvedJob, trusted: JobSpec, deployment: DispatchConfig): FinishedCluster {
  const { allow, targets } = deployment;
  const config = targets[job.target];
  const freed = Object.entries(job.options).filter(([key]) => isFreed(key, allow));
  const own = { ...(config && exposure(config)), ...optionsOf(trusted, job.name) };
  const alike: ResolvedJob = {
    ...job,
    options: { ...own, ...Object.fromEntries(freed) },
    podTemplates: allow.podTemplates === 'any' ? job.podTemplates : podTemplatesOf(trusted),
  };
  return buildFirst([
    alike,
    // defaults of memory may make no whole without the user's
    {
      ...alike,
      options: Object.fromEntries(Object.entries(alike.options).filter(([key]) => !key.includes('.memory.'))),
    },
    { ...alike, options: {} },
    { ...alike, options: {}, podTemplates: {} },
  ]);
}

function buildFirst([job, ...others]: readonly ResolvedJob[]): FinishedCluster {
  if (job === undefined) throw new Error('nothing to build');
  try {
    return buildJob(job);
  } catch (error) {
    if (!isDispatchError(error) || others.length === 0) throw error;
    return buildFirst(others);
  }
}
