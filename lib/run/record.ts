import type { Duration, Instant } from '../core/clock.ts';
import type { ClusterId, DeploymentId, JobId, RunId } from '../core/ids.ts';
import type { Reason } from '../core/reasons.ts';
import type { FastStart } from '../delivery/delivery.ts';
import type { JobRuntime } from '../flink/job-manager.ts';
import type { PlannedOperators } from '../flink/plan/operators.ts';
import type { ResolvedJob } from '../job/job.ts';
import type { SavepointFormat, Snapshot } from '../state/snapshot.ts';
import type { RunSource } from '../trigger/request.ts';
import type { Asked } from './asked.ts';

/**
 * Where a run is in its life. The only way is forward, save `starting → waiting` and `running → waiting`, by which a
 * failed attempt makes room for the next.
 */
export const RUN_STATES = [
  'accepted',
  'waiting',
  'launching',
  'starting',
  'running',
  'ended',
  'cleaning',
  'closed',
] as const;
export type RunState = (typeof RUN_STATES)[number];

export type OutcomeState = 'succeeded' | 'failed' | 'canceled' | 'rejected' | 'skipped' | 'unknown';

export interface Outcome {
  readonly state: OutcomeState;
  readonly reason: Reason;
  /** One sentence with the cause. */
  readonly message: string;
  /** The input field at fault, for rejected requests. */
  readonly field?: string;
  readonly rootException?: string;
  /** The root exception's stack trace, cut to a limit. */
  readonly stackTrace?: string;
  /** Of the application's only job; several have their own. */
  readonly accumulators?: Readonly<Record<string, string>>;
  readonly at: Instant;
  /** The jobs of its application, in the order in which they began; at most MAX_JOBS. */
  readonly jobs?: readonly JobReport[];
  /** Milliseconds that Flink counted for the job, where there was one alone. */
  readonly jobDuration?: number;
  /** Flink's own word for the end of the application, or of the job. */
  readonly flinkState?: string;
  /** The rule of lib/verdict that gave it; absent where none did, as for a request that was rejected. */
  readonly rule?: string;
  /** What the verdict rests on: `pod x: container y terminated, OOMKilled, exit code 137`. */
  readonly evidence: readonly string[];
}

/** One job of an application, as Flink told of it last. */
export interface JobReport {
  readonly id: string;
  /** Absent where only a line of the log tells of it. */
  readonly name?: string;
  /** FINISHED, FAILED, CANCELED, or where it stood when the application ended. */
  readonly state: string;
  readonly startedAt?: Instant;
  /** Milliseconds that Flink counted. */
  readonly duration?: number;
  /** Where the application had several jobs. */
  readonly accumulators?: Readonly<Record<string, string>>;
}

export interface Attempt {
  readonly number: number;
  readonly clusterId: ClusterId;
  /**
   * With high availability, in a session, or of a stream: the id that its job is given. Else Flink's own id of its first job, once one
   * was seen to run; before that no job has it.
   */
  readonly jobId: JobId;
  /** Written before the first Kubernetes call of the attempt. */
  readonly launchedAt: Instant;
  /** What its job starts from: written with the attempt, and never changed. */
  readonly restoredFrom?: Snapshot;
  /**
   * Whether Kubernetes was seen to have begun its program again, without high availability: both wrote checkpoints under the
   * same job id, the second with numbers that begin anew.
   */
  readonly beganAgain?: true;
  /** Whether another JobManager than its first one stood when it ended, and may have gone on with its program. */
  readonly goesOn?: true;
  /**
   * Of a job that was given another parallelism while it runs: the vertices that keep theirs, because the program gave it to
   * them. Written before Flink is first asked.
   */
  readonly fixedVertices?: readonly string[];
  /** The newest complete state that it left behind. */
  readonly snapshot?: Snapshot;
  readonly createdAt?: Instant;
  readonly runningAt?: Instant;
  /** The first JobManager that was seen started: another one has begun the program anew. */
  readonly jobManager?: { readonly podUid: string; readonly restartCount: number };
  /** How Flink runs its job, of several the last one that was seen to go on. */
  readonly runtime?: JobRuntime;
  /** When a look first found that its jobs had ended, and main() went on; absent again when a further job runs. */
  readonly jobsEndedAt?: Instant;
  /** When a look first found that main() had returned, while nothing else told of the application's end. */
  readonly mainReturnedAt?: Instant;
  /** Whether a job of it was seen FINISHED: no other attempt may run it again. */
  readonly jobFinished?: boolean;
  /** Mode session: who runs main() in the session, written before it is run, and whether the JobManager has said yes. */
  readonly submission?: {
    readonly by: string;
    readonly at: Instant;
    readonly answeredAt?: Instant;
    /** Whether the session's JobManager is replaced by one that has its jobs. */
    readonly highAvailability: boolean;
  };
  /** The uid of the attempt's Deployment, or its session's, once it is known. */
  readonly deploymentUid?: string;
  /** Since when no JobManager of the attempt can start. */
  readonly startRevokedAt?: Instant;
  /** `sha256:…` of the image that its JobManager was seen to have; absent where that is not the image of the job. */
  readonly imageDigest?: string;
  /** What its JVMs were started with so that they start sooner. */
  readonly fastStart?: FastStart;
  /** When what its pods read at their start, a signed URL, has to be written anew. */
  readonly renewAt?: Instant;
  /** Why it is given up, while its job is being stopped. */
  readonly abortOutcome?: Outcome;
  readonly outcome?: Outcome;
  /** What the attempt after it has more of, because it ran out of memory. */
  readonly remedy?: readonly OptionChange[];
  /** What keeps its pods from being scheduled, or did. */
  readonly gate?: Gate;
  /** How often it was put off for want of room, with those in whose place it came. */
  readonly capacityWaits?: number;
  /** Names of what was kept of the attempt, under `runs/<runId>/evidence/<number>/` of the ledger. */
  readonly artifacts?: readonly string[];
  /** When the logs of its pods were last kept while it ran, by pod. */
  readonly logsKept?: Readonly<Record<string, Instant>>;
  /** How many samples of its job were kept, or tried to be, and when the last one. */
  readonly sampled?: { readonly count: number; readonly at: Instant };
  /** What was archived of its jobs; `endedAt`: since when nothing more is. */
  readonly archive?: {
    readonly jobs: readonly string[];
    readonly draftedAt?: Instant;
    readonly endedAt?: Instant;
  };
  /** When a look proved that none of its objects is left. */
  readonly removalVerifiedAt?: Instant;
}

/** Of an attempt of which a look found a pod behind a scheduling gate: Kueue, or whoever else gates pods, has not let it in. */
export interface Gate {
  /** Absent when the last look found none. */
  readonly since?: Instant;
  /** Milliseconds behind gates before that. */
  readonly before: Duration;
  readonly message: string;
}

/** Of a Flink option. */
export interface OptionChange {
  readonly key: string;
  /** `default` where no option said it. */
  readonly from: string;
  readonly to: string;
}

/** A task of a state machine that waits for the end of a run. */
export type Callback = OpenCallback | SettledCallback;

export interface OpenCallback {
  /** Of its token. */
  readonly id: string;
  /** Whoever has it may answer the task. */
  readonly taskToken: string;
  /** When it last heard that the run goes on. */
  readonly heartbeatAt?: Instant;
}

/** Answered, or waiting no longer, or given up. */
export interface SettledCallback {
  readonly id: string;
  readonly settledAt: Instant;
}

/** One try to stop a job with a savepoint: a repeat of it joins the operation that Flink has of it. */
export interface SavepointTry {
  /** From 1; the next try has the next number, another id and another directory. */
  readonly ordinal: number;
  /** 32 lower-case hex digits. */
  readonly triggerId: string;
  /** Of this try alone: whatever is complete in it is its savepoint. */
  readonly directory: string;
  readonly format: SavepointFormat;
  /** Whether windows fire before the end, as at the end of the input. */
  readonly drain: boolean;
}

/** Asks a job to end so that its state is kept; acted on at the next look. */
export type StopRequest = StopBase &
  (
    | {
        readonly mode: 'savepoint';
        readonly savepoint: SavepointTry;
        /** When no further try is made. */
        readonly until: Instant;
        readonly fallback: 'none' | 'last-state';
      }
    | { readonly mode: 'last-state' }
  );

/** A stop whose savepoint could not be had. */
export interface StopFailure extends StopBase {
  readonly message: string;
  /** Of its last try. */
  readonly ordinal: number;
}

interface StopBase {
  readonly at: Instant;
  readonly by: string;
  readonly reason: Reason;
}

export type RunEventType = 'accepted' | 'started' | 'attempt-failed' | 'completed';

/** An entry of the record's outbox. */
export interface RunEvent {
  /** From 1, without gaps; with the run id it is the event's id. */
  readonly sequence: number;
  readonly type: RunEventType;
  readonly time: Instant;
  readonly attempt?: number;
  readonly publishedAt?: Instant;
}

/** Where the ledger bucket has a run's record. */
export function recordKey(runId: RunId): string {
  return `runs/${runId}/record.json`;
}

/** At least one; the current one is the last. */
export type Attempts = readonly [Attempt, ...Attempt[]];

/** The ledger's one object for a run, version 1. Its state tells what it has. */
export type RunRecord = QueuedRun | ActiveRun | EndedRun;

/** Before its first attempt, or between two. */
export interface QueuedRun extends RunBase {
  readonly state: 'accepted' | 'waiting';
  readonly job: ResolvedJob;
  readonly attempts: readonly Attempt[];
  readonly outcome?: never;
}

/** With an attempt that is made or followed. */
export interface ActiveRun extends RunBase, HasAttempt {
  readonly state: 'launching' | 'starting' | 'running';
  readonly outcome?: never;
}

/** With an outcome, which stands. */
export interface EndedRun extends RunBase {
  readonly state: 'ended' | 'cleaning' | 'closed';
  /** Absent for a run that was rejected before its job could be read; such a run has no attempt. */
  readonly job?: ResolvedJob;
  readonly attempts: readonly Attempt[];
  readonly outcome: Outcome;
}

/** What every run has that was ever launched. */
export interface HasAttempt {
  readonly job: ResolvedJob;
  readonly attempts: Attempts;
}

/** In any state: a run that has an attempt. */
export type LaunchedRun = RunRecord & HasAttempt;

interface RunBase {
  readonly version: 1;
  readonly runId: RunId;
  /** Whose it is; absent in a deployment without tenants. */
  readonly tenant?: string;
  readonly source: RunSource;
  /** Hash of the request's payload: the same identity with another payload is refused. */
  readonly fingerprint: string;
  readonly name: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly events: readonly RunEvent[];
  /** The number of the run message that is due next: an older one finds a higher number and does nothing. */
  readonly step: { readonly number: number; readonly dueAt: Instant };
  /** Since when the JobManager's REST endpoint has not answered although it did before. */
  readonly unreachableSince?: Instant;
  /** Since when, how often in a row and why a step could not be taken. */
  readonly stepError?: {
    readonly since: Instant;
    readonly count: number;
    readonly reason: Reason;
    readonly message: string;
  };
  /** Why the run waits, while it does. */
  readonly waiting?: {
    readonly reason: Reason;
    readonly message: string;
    readonly since: Instant;
    readonly until: Instant;
  };
  /** Asked for from outside; acted on at the next look. */
  readonly cancelRequested?: { readonly at: Instant; readonly by: string; readonly reason: Reason };
  /** When the cluster is due to go, for a cluster that is kept after its end. */
  readonly keepUntil?: Instant;
  /** What was asked for; absent of a run of a stream, and of an old one. */
  readonly asked?: Asked;
  /** What it is listed and canceled by, with others. */
  readonly tag?: string;
  /** Of its end: whether its report is in the ledger. Written before the end is told, which names a report that is kept. */
  readonly report?: 'kept' | 'lost';
  /** Who waits for its end. */
  readonly callbacks?: readonly Callback[];
  /** The run that it does again; `exactly`: with the same bytes and image. */
  readonly again?: { readonly of: RunId; readonly exactly: boolean };
  /** Which stream it runs, and which version of it. */
  readonly deployment?: { readonly id: DeploymentId; readonly generation: number };
  /** What its first attempt starts from. */
  readonly startFrom?: Snapshot;
  /** Never beside `cancelRequested`: whoever cancels takes it away. */
  readonly stopRequested?: StopRequest;
  /** The number of the last savepoint that a stop ever asked for. */
  readonly stopTries?: number;
  /** Why the last stop came to nothing, after which the job ran on. */
  readonly stopFailed?: StopFailure;
  /** Why nobody knows the newest state that it left: its storage could not be read, and its JobManager did not tell. */
  readonly stateUnknown?: { readonly message: string };
  /** Of a run that is made while the one before it still runs. */
  readonly prepared?: Prepared;
}

/** Its first attempt is a JobManager without a program, which it gets with the permit; further ones are as any other. */
export interface Prepared {
  /** The jar, as the attempt's JobManager knows it, which has made a plan of it. */
  readonly jarId?: string;
  /** Of that plan, where the state is to be compared with it. */
  readonly operators?: PlannedOperators;
  /** When a look first found all that the program needs. */
  readonly readyAt?: Instant;
  /** When its program might begin, with what it starts from: once the run before it was proven to be at its end. */
  readonly permittedAt?: Instant;
}
