import type { Instant } from '../core/clock.ts';
import type { KubernetesFacts } from '../kubernetes/cluster/port.ts';
import type { StopFacts } from './stop/stop-facts.ts';
import type { JobManagerFacts, JobResult, JobRuntime, MainThread, RootException } from '../flink/job-manager.ts';

/** The JobManager's REST endpoint at one instant. `silent` says nothing about the job. */
export type RestFacts =
  | {
      readonly state: 'answered';
      readonly facts: JobManagerFacts;
      /** Of the attempt's job that has ended; of several, of the one that tells how: `tellingJob`. */
      readonly result?: JobResult;
      /** By job id, of the others. */
      readonly results?: Readonly<Record<string, JobResult>>;
      /** Of the job that goes on, asked once. */
      readonly runtime?: JobRuntime;
      /** Asked for once the jobs of an application have ended, where Flink does not list applications. */
      readonly main?: MainThread;
      /** When it was asked whether the application goes on: an answer can be slow, and old when it comes. */
      readonly askedAt?: Instant;
      /** Why Flink calls the application FAILED. */
      readonly applicationException?: RootException;
      /** Of a stream that starts from a snapshot and does not run yet: why Flink began it anew. */
      readonly trouble?: RootException;
    }
  | { readonly state: 'unreachable'; readonly error: string };

/** All that one look found out about a run's cluster, without judgement. */
export interface Observation {
  readonly at: Instant;
  readonly kubernetes: KubernetesFacts;
  readonly rest: RestFacts;
  /**
   * The end of the JobManager's log, when it is worth reading: of an incarnation that stopped, or of one that runs and
   * gets no TaskManagers, or has no job.
   */
  readonly jobManagerLog?: { readonly text: string; readonly stopped: boolean };
  /** The end of the first JobManager's log, whose pod is being deleted: with the pod it goes. */
  readonly leavingLog?: string;
  /** Whether Flink's service account has by now the right whose refusal the log tells of; absent: nobody knows. */
  readonly hasRefusedRight?: boolean;
  /** Of a stream that was asked to stop with a savepoint. */
  readonly stop?: StopFacts;
}
