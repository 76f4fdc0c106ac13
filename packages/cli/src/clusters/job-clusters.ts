import type { KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import { createObjectClient } from '../../../../lib/kubernetes/api/client.ts';
import type { Clusters, DeploymentFacts } from '../../../../lib/kubernetes/cluster/port.ts';
import { findJob, type JobObject } from '../follow/jobs.ts';

/** The same clusters, and those of standalone applications whose JobManager is a Job in place of a Deployment. */
export function withJobs(clusters: Clusters, api: KubernetesApi): Clusters {
  return {
    apply: (cluster, owner) => clusters.apply(cluster, owner),
    async observe(ref) {
      const facts = await clusters.observe(ref);
      if (facts.deployment.state === 'present') return facts;
      const job = await findJob(api, ref);
      return job === undefined ? facts : { ...facts, deployment: jobFacts(job) };
    },
    async remove(ref, what) {
      const { uid, deletionTimestamp } = (await findJob(api, ref))?.metadata ?? {};
      if (uid === undefined) return clusters.remove(ref, what);
      if (deletionTimestamp !== undefined) return;
      const options = { uid, propagationPolicy: 'Foreground' } as const;
      await createObjectClient(api).remove('Job', ref.namespace, ref.clusterId, options);
    },
    async remains(ref, what) {
      const [job, others] = await Promise.all([findJob(api, ref), clusters.remains(ref, what)]);
      return job === undefined ? others : [`Job/${ref.clusterId}`, ...others];
    },
  };
}

/** A Job that is over has no JobManager any more, as a Deployment that is being deleted. */
function jobFacts({ metadata, status }: JobObject): DeploymentFacts {
  const conditions = (status?.conditions ?? []).map(({ type, status: state, reason = '', message = '' }) => {
    return { type, status: state, reason, message };
  });
  const over = conditions.some(({ type, status: state }) => /^(Complete|Failed)$/.test(type) && state === 'True');
  return {
    state: 'present',
    uid: metadata?.uid ?? '',
    deleting: over || metadata?.deletionTimestamp !== undefined,
    createdAt: Date.parse(String(metadata?.creationTimestamp)) || 0,
    desiredReplicas: 1,
    conditions,
  };
}
