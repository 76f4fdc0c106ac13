import { clusterIdFor, jobIdFor, type RunId } from '../../core/ids.ts';
import type { ResolvedJob } from '../../job/job.ts';
import { planCluster } from '../plan-cluster.ts';
import { planPrepared } from './plan-prepared.ts';
import { planSession } from './pool.ts';

/** What Flink's client would refuse is refused now, not when the run is launched. */
export function checkPlan(job: ResolvedJob, runId: RunId): void {
  if (job.mode === 'session') {
    const { clusterId, pool } = job.session;
    if (pool !== undefined) planSession(pool, { namespace: job.namespace, clusterId }, '');
    return;
  }
  const owner = { kind: 'run', runId, attempt: 1 } as const;
  const jarUri = job.jar.uri.startsWith('local:') ? job.jar.uri : 'https://jar.invalid/job.jar';
  planCluster(job, {
    clusterId: clusterIdFor(job.name, runId, 1),
    jobId: jobIdFor(runId, 1),
    owner,
    delivery: { jarUri },
  });
  if (job.state?.prepareUpgrade === true) planPrepared(job, { clusterId: clusterIdFor(job.name, runId, 1), owner });
}
