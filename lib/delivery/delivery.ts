import type { V1Container, V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { Instant } from '../core/clock.ts';
import type { ClusterRef } from '../kubernetes/cluster/port.ts';
import type { FlinkOptions, ResolvedJob } from '../job/job.ts';
import type { ClassArchive } from './classes/archive.ts';
import type { FastFlags } from './classes/jvm-flags.ts';

/** How a job's program reaches the pods of one attempt: what its cluster is made with beyond the job's own options. */
export interface Delivery {
  /** What Flink is told of the jar, `pipeline.jars`: `local:///opt/flink/usrlib/job.jar`, a signed URL, `s3://…`. */
  readonly jarUri: string;
  /** For JobManager and TaskManagers, in place of the job's own image. */
  readonly image?: string;
  /** Flink's options that this way needs; they win over the job's. */
  readonly options?: FlinkOptions;
  /** Put into the JobManager's pod. */
  readonly jobManager?: PodParts;
  /** Put into each TaskManager's. */
  readonly taskManager?: PodParts;
  /** What was done so that its JVMs start sooner. */
  readonly fastStart?: FastStart;
  /** Made with the cluster and owned by its Deployment. */
  readonly secret?: SecretParts;
  /** When the delivery must be made again for pods to come: a signed URL ends. Absent: it stays good. */
  readonly renewAt?: Instant;
}

/** Of one attempt. */
export interface FastStart extends FastFlags {
  readonly archive?: ClassArchive;
}

export interface DeliveryContext {
  readonly tenant?: string;
  /** What the attempt was launched with: a delivery that is made again has the same. */
  readonly launched?: FastStart;
}

export interface PodParts {
  readonly initContainers: readonly V1Container[];
  readonly volumes: readonly V1Volume[];
  /** Of Flink's own container. */
  readonly mounts: readonly V1VolumeMount[];
}

export interface SecretParts {
  readonly name: string;
  /** Plain text by key. */
  readonly data: Readonly<Record<string, string>>;
}

/**
 * Delivers a job's jar to the cluster of an attempt. Repeatable: for the same attempt it differs in signatures alone.
 * @throws DispatchError before anything of the cluster exists: what cannot be delivered is not launched.
 */
export type Deliver = (job: ResolvedJob, ref: ClusterRef, context?: DeliveryContext) => Promise<Delivery>;
