import type { KubernetesObject, V1Job } from '@kubernetes/client-node';
import { defined } from '../../core/defined.ts';
import type { FlinkCluster } from '../cluster.ts';

/** A standalone application whose JobManager is a Job, the owner of all others. */
export interface JobCluster extends Omit<FlinkCluster, 'deployment'> {
  readonly owner: V1Job;
}

export interface JobOptions {
  /**
   * Seconds between the end of the JobManager and the removal of the Job by Kubernetes, and with it of the TaskManagers,
   * which nothing else ends. Absent: whoever made the cluster removes it.
   */
  readonly ttl?: number;
  /** Then a JobManager that crashed goes on with its job. Without, it would run main() again: it is not restarted. */
  readonly highAvailability: boolean;
}

/** For jobs that end: the JobManager's pod runs once. */
export function asJob(cluster: FlinkCluster, { ttl, highAvailability }: JobOptions): JobCluster {
  const { deployment, dependents, ...rest } = cluster;
  const template = deployment.spec?.template;
  return {
    ...rest,
    owner: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      ...defined({ metadata: deployment.metadata }),
      spec: {
        backoffLimit: highAvailability ? 6 : 0,
        ...defined({ ttlSecondsAfterFinished: ttl }),
        template: {
          ...template,
          spec: {
            containers: [],
            ...template?.spec,
            restartPolicy: highAvailability ? 'OnFailure' : 'Never',
          },
        },
      },
    },
    dependents: dependents.map(ownedByJob),
  };
}

function ownedByJob(object: KubernetesObject): KubernetesObject {
  const owners = (object.metadata?.ownerReferences ?? []).map((owner) => ({
    ...owner,
    apiVersion: 'batch/v1',
    kind: 'Job',
  }));
  return { ...object, metadata: { ...object.metadata, ownerReferences: owners } };
}
