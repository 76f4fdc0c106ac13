import { defined } from '../core/defined.ts';
import type { ClusterId, JobId } from '../core/ids.ts';
import type { ClusterRequest } from '../flink/cluster.ts';
import type { StandaloneRequest } from '../flink/standalone/build-standalone.ts';
import { withJavaDefaults } from '../flink/config/built-in.ts';
import { flinkRules } from '../flink/version.ts';
import { MAIN_STACK_DEPTH } from '../flink/job-manager.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { earlyTaskManager } from './early-task-manager.ts';
import { hasFixedJobId, hasHighAvailability } from './high-availability.ts';
import { programOf } from './jar/program.ts';
import type { ResolvedJob } from './job.ts';
import { optionsWithState } from './state-options.ts';

/** What a cluster of a job's own is made for. */
export interface ClusterPurpose {
  readonly clusterId: ClusterId;
  readonly jobId: JobId;
  /** Where Flink finds the program. */
  readonly jarUri: string;
  /** Of a stream: what its job starts from. */
  readonly restoredFrom?: Snapshot;
  readonly marks: NonNullable<ClusterRequest['marks']>;
}

/** What Flink's client is asked for the job: its own options, and over them what a dispatched run needs. */
export function clusterRequest(job: ResolvedJob, purpose: ClusterPurpose): StandaloneRequest {
  const options = optionsWithState(job, purpose.restoredFrom);
  return {
    flinkVersion: job.flinkVersion,
    mode: 'application',
    options: { ...withJavaDefaults(options, flinkRules(job.flinkVersion)), ...runOptions(job, purpose) },
    podTemplates: job.podTemplates,
    ...defined({ logFiles: job.logConfiguration }),
    program: programOf(job, purpose.jarUri),
    marks: purpose.marks,
    ...(job.mode === 'standalone' && defined({ taskManagers: job.taskManagers })),
  };
}

function runOptions(job: ResolvedJob, plan: ClusterPurpose): Record<string, string> {
  return {
    'kubernetes.cluster-id': plan.clusterId,
    'kubernetes.namespace': job.namespace,
    ...(hasFixedJobId(job) ? { '$internal.pipeline.job-id': plan.jobId } : {}),
    // main() is at the bottom of its thread's stack: only in a whole one is it seen whether it has returned.
    'cluster.thread-dump.stacktrace-max-depth': String(MAIN_STACK_DEPTH),
    // What ended is shown until the application ends: Flink's default is an hour.
    'jobstore.expiration-time': job.options['jobstore.expiration-time'] ?? '604800',
    // A JobMaster that asks for its ResourceManager a moment too early waits this long; Flink's default is 10 s.
    'cluster.registration.error-delay': job.options['cluster.registration.error-delay'] ?? '500 ms',
    // The JobManager stays up until its end was read.
    'execution.shutdown-on-application-finish': 'false',
    ...earlyTaskManager(job),
    ...(hasHighAvailability(job.options) ? recoveryOptions(job) : {}),
  };
}

/**
 * By default Flink forgets a job's end once it has cleaned up after it: a JobManager that starts later would run the job
 * again. The store's default path has the cluster's id, which no two attempts share.
 */
function recoveryOptions({ options }: ResolvedJob): Record<string, string> {
  const key = 'job-result-store.delete-on-commit';
  return {
    [key]: options[key] ?? 'false',
    // main() that fails before its job leaves a job of the fixed id, which has failed, and a JobManager that tells of it.
    'execution.submit-failed-job-on-application-error': 'true',
  };
}
