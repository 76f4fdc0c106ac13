import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import { createRestTransport } from '../../../lib/kubernetes/access/rest-access.ts';
import type { JobSummary } from '../../../lib/flink/job-manager.ts';
import { createJobManager } from '../../../lib/flink/rest/job-manager.ts';
import type { Spec } from './dispatcher.ts';
import type { Tenant } from './tenant.ts';

/** Ends by itself within seconds. */
export const WORD_COUNT: Spec = { job: { jarURI: 'local:///opt/flink/usrlib/WordCount.jar' } };
/** Runs until somebody stops it. */
export const ENDLESS = {
  job: { jarURI: 'local:///opt/flink/usrlib/TopSpeedWindowing.jar' },
  flinkConfiguration: { 'execution.runtime-mode': 'STREAMING' },
} as const satisfies Spec;

/** High availability in a volume that lives as long as its pod. */
export const HIGH_AVAILABILITY: Spec = {
  flinkConfiguration: { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 'file:///ha' },
  jobManager: {
    resource: { cpu: 0.1, memory: '900m' },
    podTemplate: {
      spec: {
        containers: [{ name: 'flink-main-container', volumeMounts: [{ name: 'ha', mountPath: '/ha' }] }],
        volumes: [{ name: 'ha', emptyDir: {} }],
      },
    },
  },
};

/** The jobs of a cluster, as its JobManager tells; none while it does not answer. */
export async function jobsOf({ api }: Tenant, ref: ClusterRef): Promise<readonly JobSummary[]> {
  const jobManager = createJobManager(createRestTransport(api, ref, { kind: 'service-proxy' }));
  return jobManager.overview().then(
    ({ jobs }) => jobs,
    () => [],
  );
}

/** The one job of a cluster. */
export async function jobOf(tenant: Tenant, ref: ClusterRef): Promise<JobSummary | undefined> {
  return (await jobsOf(tenant, ref))[0];
}

export function allTasksRun(job: JobSummary | undefined): boolean {
  return job?.state === 'RUNNING' && job.tasks['RUNNING'] === job.tasks['TOTAL'];
}
