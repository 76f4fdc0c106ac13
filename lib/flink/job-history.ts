import type { Duration, Instant } from '../core/clock.ts';

/** A vertex of the job's graph, as it runs. */
export interface SampledVertex {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly parallelism: number;
  /** The vertices that it reads from, and how records come: `HASH`, `REBALANCE`, `FORWARD`, … */
  readonly inputs: readonly { readonly id: string; readonly ship?: string }[];
}

/** What does not change from sample to sample: a new one is told where it does, as after a rescale. */
export interface SampledJob {
  readonly id: string;
  readonly name: string;
  /** In an order in which each comes behind its inputs; at most MAX_VERTICES. */
  readonly vertices: readonly SampledVertex[];
}

/** What Flink has counted of a vertex since its tasks began: all subtasks together. */
export interface VertexCounts {
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds; absent where a source does not measure them. */
  readonly busy?: Duration;
  readonly idle?: Duration;
  readonly backPressured?: Duration;
  /** The lowest one of its subtasks; absent where there is none, or none was asked for. */
  readonly watermark?: Instant;
}

/** The newest complete checkpoint. */
export interface CheckpointSample {
  readonly id: number;
  /** When it was complete. */
  readonly at: Instant;
  readonly duration: Duration;
  /** Of the whole state, and what was written for it: less where it is incremental. */
  readonly bytes: number;
  readonly written?: number;
}

/** What a JobManager tells at one time of a job that runs. */
export interface JobFigures {
  readonly job: SampledJob;
  /** In the order of the job's vertices. */
  readonly counts: readonly VertexCounts[];
  readonly checkpoint?: CheckpointSample;
  /** Since the job began, or its JobManager did. */
  readonly checkpoints?: { readonly completed: number; readonly failed: number };
  /** Bytes of the fullest TaskManager. */
  readonly heap?: { readonly used: number; readonly max: number };
  readonly restarts?: number;
  readonly taskManagers?: number;
}

/** A job with more is sampled by its first ones. */
export const MAX_VERTICES = 50;

/** REST answers about a job, by path, as Flink's HistoryServer serves them. */
export type JobAnswers = Readonly<Record<string, unknown>>;

/**
 * What a JobManager tells for the history of its jobs. Requests are few and short: nothing waits for them. Methods throw
 * as those of JobManager.
 */
export interface JobHistory {
  figures(jobId: string, kind: 'batch' | 'streaming'): Promise<JobFigures>;
  /** `known`: what was asked already. What is not told, or is too large, is left out. */
  answers(jobId: string, known?: JobAnswers): Promise<JobAnswers>;
}
