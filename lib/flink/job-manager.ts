import type { Duration, Instant } from '../core/clock.ts';
import { DispatchError } from '../core/errors.ts';
import type { Payload } from '../core/payload.ts';
import type { JobState } from './job-state.ts';
import type { PlanNode } from './plan/operators.ts';

export interface JobSummary {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  /** The name as it came, when `state` is UNKNOWN. */
  readonly reportedState?: string;
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
  /** -1 while it goes on. */
  readonly endTime?: Instant;
  /** How many jobs it began, also those that are not shown any more. */
  readonly jobs?: number;
}

/** Whether main() of the application is on the stack of a thread of the JobManager. */
export type MainThread = { readonly state: 'running'; readonly stack: string } | { readonly state: 'returned' };

/** What one look at the JobManager's REST endpoint gave. */
export interface JobManagerFacts {
  readonly flinkVersion: string;
  readonly taskManagers: number;
  readonly slotsTotal: number;
  readonly slotsAvailable: number;
  readonly jobs: readonly JobSummary[];
  readonly applications?: readonly ApplicationSummary[];
}

/** How Flink runs a job, in its own words. */
export interface JobRuntime {
  readonly jobId: string;
  /** BATCH: all its sources end. STREAMING says nothing of that. Absent: Flink before 1.20, which does not tell. */
  readonly type?: 'BATCH' | 'STREAMING';
  /** Of periodic checkpoints; absent where it takes none. */
  readonly checkpointInterval?: Duration;
}

/** Why a job or an application failed: the deepest cause of Flink's chain of exceptions, and that chain, bounded. */
export interface RootException {
  /** `java.io.FileNotFoundException: File /no/such/file does not exist …`. */
  readonly message: string;
  /** At most 16 KiB, cut in the middle. */
  readonly stackTrace: string;
  readonly time?: Instant;
  readonly taskManagerId?: string;
}

/** How a job ended, in Flink's own words; each part is absent when the JobManager did not give it. */
export interface JobResult {
  /** The newest failure; a job that recovered from one has it too. */
  readonly rootException?: RootException;
  readonly accumulators?: Readonly<Record<string, string>>;
  /** Answers as they came, by REST path, for the evidence; each at most 64 KiB. */
  readonly answers: Readonly<Record<string, unknown>>;
}

/**
 * A JobManager's REST endpoint. Every method of this file's ports throws DispatchError `RestUnreachable` when there is
 * no usable answer, which says nothing about the job; `JobNotFound` when the JobManager answers that it has no such
 * job; `FlinkRefused` with its own words when it refuses what was asked.
 */
export interface JobManager {
  overview(): Promise<JobManagerFacts>;
  runtime(jobId: string): Promise<JobRuntime>;
  result(jobId: string): Promise<JobResult>;
  /** What it has of the job's state; all of it is gone with the JobManager, and with a job that it forgot. */
  checkpoints(jobId: string): Promise<JobCheckpoints>;
  cancel(jobId: string): Promise<void>;
}

/** A completed checkpoint or savepoint of a job, as its JobManager tells of it. */
export interface CompletedCheckpoint {
  /** In order among those of the job. */
  readonly id: number;
  /** Without a trailing slash. */
  readonly path: string;
  readonly isSavepoint: boolean;
  /** Of a savepoint. */
  readonly format?: SavepointFormat;
  readonly at: Instant;
  readonly bytes: number;
}

export interface JobCheckpoints {
  /** Of completed ones that have a path and were not discarded; absent where there is none since the job began. */
  readonly newest?: CompletedCheckpoint;
  /** What the job began from, or recovered from. */
  readonly restored?: { readonly id: number; readonly path?: string };
  /** Checkpoints and savepoints that the job completed since it began. */
  readonly completedSinceRestore: number;
  readonly failed: number;
  /** Those that are being taken. */
  readonly inProgress: number;
}

/** The JobManager of an application: it runs main() as well. */
export interface ApplicationManager extends JobManager, Applications {
  /**
   * By the JobManager's stacks; `undefined` where they are cut and do not tell. Needs
   * `cluster.thread-dump.stacktrace-max-depth` of MAIN_STACK_DEPTH.
   */
  mainThread(): Promise<MainThread | undefined>;
  /** How often the job was begun anew since this JobManager has it; 0 too where it has not counted yet. */
  restarts(jobId: string): Promise<number>;
}

/** Frames of a thread that the JobManager shows; main() is at the bottom of its own. */
export const MAIN_STACK_DEPTH = 1000;

/** Applications as Flink 2.3 knows them: one main() and its jobs. */
export interface Applications {
  /** Why main() failed; undefined when it did not, or when this Flink version cannot tell. */
  exception(applicationId: string): Promise<RootException | undefined>;
}

export interface SavepointRequest {
  /** Default: the cluster's `execution.checkpointing.savepoint-dir`. */
  readonly targetDirectory?: string;
  /** Default: CANONICAL, as Flink's own. */
  readonly formatType?: SavepointFormat;
  /** 32 hex digits; a repeat with the same one joins the operation that Flink has of it. Default: one of Flink's own. */
  readonly triggerId?: string;
}

export type SavepointFormat = 'CANONICAL' | 'NATIVE';

export interface CheckpointRequest {
  /** Default: as the job is configured. */
  readonly type?: 'FULL' | 'INCREMENTAL' | 'CONFIGURED';
  /** As that of a savepoint. */
  readonly triggerId: string;
}

/** An asynchronous operation of the JobManager. */
export type SavepointOperation =
  | { readonly kind: 'savepoint' | 'checkpoint'; readonly jobId: string; readonly triggerId: string }
  | { readonly kind: 'disposal'; readonly triggerId: string };

export type SavepointStatus =
  | { readonly status: 'IN_PROGRESS' }
  | { readonly status: 'COMPLETED'; readonly location?: string }
  | { readonly status: 'FAILED'; readonly cause: RootException };

export interface Savepoints {
  trigger(jobId: string, request: SavepointRequest): Promise<SavepointOperation>;
  /** Ends the job with a savepoint; `drain` sends MAX_WATERMARK first, so that windows fire. */
  stop(jobId: string, request: SavepointRequest & { readonly drain: boolean }): Promise<SavepointOperation>;
  /** Its status has no location: the job's checkpoints tell of it. */
  checkpoint(jobId: string, request: CheckpointRequest): Promise<SavepointOperation>;
  dispose(path: string): Promise<SavepointOperation>;
  /** @throws DispatchError `OperationNotFound` when Flink does not know it any more, whatever became of its job. */
  status(operation: SavepointOperation): Promise<SavepointStatus>;
}

/** A vertex of a job: operators that run in the same tasks. */
export interface JobVertex {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  /** In how many subtasks it runs now. */
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** Whether all of them run, or have finished. */
  readonly allRun: boolean;
}

/** Between which numbers of subtasks Flink may choose, by the ids of vertices. */
export type Requirements = Readonly<Record<string, { readonly lowerBound: number; readonly upperBound: number }>>;

/** Shares of its time, from 0 to 1. */
export interface VertexLoad {
  readonly busy: number;
  /** It waits for those after it. */
  readonly backPressured: number;
}

/** What the adaptive scheduler is told of a job that runs. */
export interface Rescaling {
  vertices(jobId: string): Promise<readonly JobVertex[]>;
  requirements(jobId: string): Promise<Requirements>;
  /** Of all subtasks of a vertex together, in the last seconds; undefined where it is not measured. */
  load(jobId: string, vertexId: string): Promise<VertexLoad | undefined>;
  /** Of all its vertices. With high availability a JobManager that follows has them too. */
  require(jobId: string, requirements: Requirements): Promise<void>;
}

export interface JarRun {
  readonly entryClass?: string;
  readonly programArgs?: readonly string[];
  readonly parallelism?: number;
  readonly jobId?: string;
  readonly savepointPath?: string;
  readonly allowNonRestoredState?: boolean;
  readonly claimMode?: 'CLAIM' | 'NO_CLAIM' | 'LEGACY';
  /** From Flink 1.17. */
  readonly flinkConfiguration?: Readonly<Record<string, string>>;
}

export interface JarFile {
  /** `<uuid>_<name>`. */
  readonly id: string;
  readonly name: string;
}

/** The jars of a session cluster. */
export interface Jars {
  /** Answers the jar's id. A `Payload` is sent as it comes. */
  upload(name: string, content: Uint8Array | Payload): Promise<string>;
  /**
   * Runs main() in the JobManager and answers the id of the job that it submitted. @throws ProgramFailed when main()
   * failed, or cannot be run, or submitted a job whose id is known already.
   */
  run(jarId: string, run: JarRun): Promise<string>;
  /** Runs main() up to the job that it would submit, and submits none. @throws ProgramFailed as `run` */
  plan(jarId: string, run: JarRun): Promise<readonly PlanNode[]>;
  remove(jarId: string): Promise<void>;
  list(): Promise<readonly JarFile[]>;
}

/** The JobManager ran main(), or tried to, and says why it failed. */
export class ProgramFailed extends DispatchError {
  readonly root: RootException;

  constructor(root: RootException) {
    super('ApplicationFailed', `main() failed: ${root.message}`);
    this.root = root;
  }
}

export interface TaskManagerSummary {
  readonly id: string;
  readonly slots: number;
  readonly freeSlots: number;
}

export interface LogFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

export interface ClusterInspection {
  taskManagers(): Promise<readonly TaskManagerSummary[]>;
  /** Log files of a TaskManager, or of the JobManager. */
  logs(taskManagerId?: string): Promise<readonly LogFile[]>;
  log(name: string, taskManagerId?: string): Promise<string>;
  configuration(): Promise<Readonly<Record<string, string>>>;
}
