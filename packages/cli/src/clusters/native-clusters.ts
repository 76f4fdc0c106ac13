import * as z from 'zod';
import type { KubernetesApi } from '../../../../lib/kubernetes/api/api.ts';
import { createObjectClient } from '../../../../lib/kubernetes/api/client.ts';
import type { Instant } from '../../../../lib/core/clock.ts';
import { parseClusterId, type ClusterId } from '../../../../lib/core/ids.ts';
import { findJob, listJobs } from '../follow/jobs.ts';
import { isHeld } from './held.ts';

/** Constants.LABEL_TYPE_NATIVE_TYPE and LABEL_COMPONENT_JOB_MANAGER: what Flink's own client marks its Deployments with. */
const SELECTOR = 'type=flink-native-kubernetes,component=jobmanager';
/** What the JobManager of a standalone cluster is started with. */
const STANDALONE = { 'standalone-job': 'application', jobmanager: 'session' } as const;

export interface NativeCluster {
  readonly clusterId: ClusterId;
  readonly namespace: string;
  readonly mode: 'application' | 'session';
  /** Its TaskManagers are a Deployment of their own. */
  readonly standalone?: true;
  /** It waits for whoever follows its application; see hold.ts. */
  readonly held?: true;
  readonly image: string;
  readonly createdAt: Instant;
  readonly ready: boolean;
}

const JobManager = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    creationTimestamp: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(z.object({ image: z.string().optional(), args: z.array(z.string()).optional() })),
      }),
    }),
  }),
  status: z.object({ readyReplicas: z.number().optional(), ready: z.number().optional() }).optional(),
});

/** All Flink clusters of a namespace, whoever made them: a JobManager is a Deployment or, in standalone ones, a Job. */
export async function listNativeClusters(api: KubernetesApi, namespace: string): Promise<NativeCluster[]> {
  const [deployments, jobs] = await Promise.all([
    createObjectClient(api).list('Deployment', namespace, { labelSelector: SELECTOR }),
    listJobs(api, namespace, SELECTOR),
  ]);
  return [...deployments, ...jobs].map((object) => toCluster(JobManager.parse(object)));
}

export async function findNativeCluster(
  api: KubernetesApi,
  namespace: string,
  id: ClusterId,
): Promise<NativeCluster | undefined> {
  const found = await createObjectClient(api).get('Deployment', namespace, id);
  if (found !== undefined) return toCluster(JobManager.parse(found));
  const job = await findJob(api, { namespace, clusterId: id });
  return job === undefined ? undefined : toCluster(JobManager.parse(job));
}

function toCluster({ metadata, spec, status }: z.infer<typeof JobManager>): NativeCluster {
  const { containers } = spec.template.spec;
  const args = containers.flatMap((container) => container.args ?? []);
  const [first = ''] = args;
  const standalone = Object.hasOwn(STANDALONE, first) ? STANDALONE[first as keyof typeof STANDALONE] : undefined;
  const native = args.join(' ').includes('kubernetes-session') ? 'session' : 'application';
  return {
    clusterId: parseClusterId(metadata.name),
    namespace: metadata.namespace,
    mode: standalone ?? native,
    ...(standalone !== undefined && { standalone: true }),
    ...(isHeld(metadata) && { held: true }),
    image: containers[0]?.image ?? '',
    createdAt: Date.parse(metadata.creationTimestamp),
    ready: (status?.readyReplicas ?? status?.ready ?? 0) > 0,
  };
}
