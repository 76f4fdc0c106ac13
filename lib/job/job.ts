import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import type { Duration } from '../core/clock.ts';
import type { ClusterId } from '../core/ids.ts';
import type { SavepointFormat } from '../state/snapshot.ts';

/** Flink's options as flat keys and string values, as in `-Dkey=value`. */
export type FlinkOptions = Readonly<Record<string, string>>;

/** How long main() may go on without a job, where the job says nothing else. */
export const MAIN_DEADLINE: Duration = 60 * 60_000;

export type JobKind = 'batch' | 'streaming';
export type UpgradeMode = 'savepoint' | 'last-state' | 'stateless';

/** How a stream keeps its state while it is changed: what makes it a deployment. */
export interface StatePlan {
  readonly upgradeMode: UpgradeMode;
  /** What becomes of an upgrade whose savepoint cannot be had. */
  readonly fallback: 'none' | 'last-state';
  readonly format: SavepointFormat;
  /** How long a savepoint may take, with all tries. */
  readonly savepointDeadline: Duration;
  /** Where Flink writes them, `s3://…`; each is there as the upgrade mode needs it. */
  readonly savepointDirectory?: string;
  readonly checkpointDirectory?: string;
  /** A last-state upgrade of an older checkpoint takes a savepoint first. */
  readonly maxCheckpointAge?: Duration;
  /** Between savepoints that nobody asked for. */
  readonly savepointEvery?: Duration;
  /** Times of the calendar for them, in the words of EventBridge Scheduler. */
  readonly savepointSchedule?: { readonly cron: string; readonly timeZone: string };
  /** How long a version that is new has to show that it is stable. */
  readonly probation: Duration;
  /** What becomes of one that is not: the last stable one runs again by itself, or when a person asks for it. */
  readonly rollback: 'automatic' | 'manual';
  /** Whether the next run's cluster is made while the last run goes on. */
  readonly prepareUpgrade?: true;
  /** Whether its operators are compared with the state before that is asked to end. */
  readonly checkState?: true;
  /** By which its parallelism follows its load. */
  readonly autoscale?: Autoscale;
  /** Which snapshots are kept, beside those that are needed. */
  readonly history: { readonly count: number; readonly age: Duration };
}

/** A rule for the parallelism of a stream. */
export interface Autoscale {
  readonly min: number;
  readonly max: number;
  /** The share of its time that the busiest vertex is to work: below 1. */
  readonly target: number;
  /** For how long the load has to ask for another parallelism, and the least time between two changes. */
  readonly window: Duration;
}

export interface Jar {
  /** `local://`, `s3://` or `https://`. */
  readonly uri: string;
  /** The exact object, when it lies in S3. */
  readonly s3?: { readonly bucket: string; readonly key: string; readonly versionId?: string; readonly eTag?: string };
  /** Its bytes in the deployment's own bucket, by their content: what a run uses. */
  readonly pinned?: PinnedJar;
  /** What its bytes must be, by whoever asked for the run: 64 hex digits. */
  readonly sha256?: string;
}

export interface PinnedJar {
  readonly bucket: string;
  readonly key: string;
  /** 64 hex digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * A job with every layer of defaults applied and every rule of the deployment checked: what a run launches. It is
 * stored in the run record, so it holds no secret and only what JSON can carry.
 */
/** After an attempt that ran out of memory. */
export interface MemoryRetry {
  /** How much more the next one has. */
  readonly factor: number;
  /** Bytes: the most that a process may have. */
  readonly limit: number;
}

export type ResolvedJob = ApplicationJob | SessionJob | StandaloneJob;

export interface ApplicationJob extends JobBase {
  readonly mode: 'application';
}

export interface SessionJob extends JobBase {
  readonly mode: 'session';
  /** Where the job goes. */
  readonly session: JobSession;
}

export interface StandaloneJob extends JobBase {
  readonly mode: 'standalone';
  /** Default: as many as the parallelism needs. */
  readonly taskManagers?: number;
}

interface JobBase {
  /** A valid cluster-id prefix. */
  readonly name: string;
  /** The named target of the deployment's configuration. */
  readonly target: string;
  readonly namespace: string;
  /** `2.3`, `1.20`: major and minor decide the rules. */
  readonly flinkVersion: string;
  /** The job's Flink options, image, memory, parallelism and savepoint included, under their own keys. */
  readonly options: FlinkOptions;
  readonly podTemplates: {
    readonly common?: V1PodTemplateSpec;
    readonly jobManager?: V1PodTemplateSpec;
    readonly taskManager?: V1PodTemplateSpec;
  };
  readonly jar: Jar;
  readonly entryClass?: string;
  readonly args: readonly string[];
  readonly kind: JobKind;
  /** Only of a stream that a deployment owns. */
  readonly state?: StatePlan;
  /** `main`: how long main() may go on when its jobs have ended; default MAIN_DEADLINE. */
  readonly deadlines: { readonly start: Duration; readonly run?: Duration; readonly main?: Duration };
  readonly retry: { readonly attempts: number; readonly backoff: Duration; readonly memory?: MemoryRetry };
  readonly concurrency?: { readonly key: string; readonly policy: ConcurrencyPolicy };
  readonly afterEnd: { readonly keepCluster: KeepCluster; readonly ttl: Duration };
  /** Whether its JVMs are started with what makes that cheap; `short`: those of its TaskManagers compute for minutes at most. */
  readonly fastStart?: 'on' | 'short';
  /** Further subscribers of this run's events: SQS queue URLs and SNS topic ARNs of the allow-list. */
  readonly notify: readonly string[];
  /** Files that replace those of the conf folder: `log4j-console.properties`, `logback-console.xml`. */
  readonly logConfiguration?: Readonly<Record<string, string>>;
  /** What of the spec was accepted without effect, in sentences. */
  readonly notes?: readonly string[];
}

/** A session cluster in the job's namespace. */
export interface JobSession {
  readonly clusterId: ClusterId;
  /** How it is made when it is not there. Absent: it stands, and is somebody else's. */
  readonly pool?: PoolPlan;
}

/** What the session of a pool is made of; equal plans share one session of their namespace. */
export interface PoolPlan {
  readonly name: string;
  /** How long it stays without a job. */
  readonly idleAfter: Duration;
  readonly flinkVersion: string;
  readonly options: FlinkOptions;
  readonly podTemplates: ResolvedJob['podTemplates'];
  readonly logConfiguration?: Readonly<Record<string, string>>;
}

export type ConcurrencyPolicy = 'allow' | 'forbid' | 'replace' | 'queue';
export type KeepCluster = 'never' | 'on-failure' | 'always';
