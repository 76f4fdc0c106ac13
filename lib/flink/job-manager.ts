import type { Duration, Instant } from '../core/clock.ts';
import type { JobState } from './job-state.ts';

export interface JobSummary {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  readonly startTime: Instant;
  /** -1 while the job runs. */
  readonly endTime: Instant;
  readonly duration: Duration;
  /** Tasks by ExecutionState, upper case. */
  readonly tasks: Readonly<Record<string, number>>;
}

/** `/applications/overview`, from Flink 2.3. */
export interface ApplicationSummary {
  readonly id: string;
  readonly name: string;
  /** CREATED, RUNNING, FINISHED, FAILING, FAILED, CANCELING, CANCELED. */
  readonly status: string;
}

/** What one look at the JobManager's REST endpoint gave. */
export interface JobManagerFacts {
  readonly flinkVersion: string;
  readonly taskManagers: number;
  readonly slotsTotal: number;
  readonly slotsAvailable: number;
  readonly jobs: readonly JobSummary[];
  readonly applications?: readonly ApplicationSummary[];
}

/** How a job ended, in Flink's own words; each part is absent when the JobManager did not give it. */
export interface JobResult {
  readonly rootException?: {
    readonly message: string;
    readonly stackTrace: string;
    readonly time?: Instant;
    readonly taskManagerId?: string;
  };
  readonly accumulators?: Readonly<Record<string, string>>;
  /** Answers as they came, by REST path, for the evidence. */
  readonly answers: Readonly<Record<string, unknown>>;
}

/**
 * A JobManager's REST endpoint. Every method throws DispatchError `RestUnreachable` when there is no answer, which says
 * nothing about the job.
 */
export interface JobManager {
  look(): Promise<JobManagerFacts>;
  result(jobId: string): Promise<JobResult>;
  cancel(jobId: string): Promise<void>;
}
