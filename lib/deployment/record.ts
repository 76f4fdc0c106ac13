import type { Instant } from '../core/clock.ts';
import type { DeploymentId, RunId } from '../core/ids.ts';
import type { Reason } from '../core/reasons.ts';
import type { ResolvedJob, StatePlan } from '../job/job.ts';
import type { Scale } from '../job/scale.ts';
import type { DeploymentWish } from '../job/state-plan.ts';
import type { SavepointFormat, Snapshot } from '../state/snapshot.ts';
import type { RunSource } from '../trigger/request.ts';
import type { StateCheck } from './check/state-check.ts';
import type { DeploymentEvent } from './event.ts';
import type { LoadSample } from './scale/recommend.ts';

/**
 * Where a deployment is. `rescaling` lasts until its job runs with another parallelism; `upgrading`, `rolling-back`, `suspending` and `deleting` last until its run is proven gone; `blocked` until
 * somebody decides.
 */
export const DEPLOYMENT_STATES = [
  'starting',
  'running',
  'preparing',
  'rescaling',
  'upgrading',
  'rolling-back',
  'suspending',
  'suspended',
  'blocked',
  'finished',
  'deleting',
  'deleted',
] as const;
export type DeploymentState = (typeof DEPLOYMENT_STATES)[number];

/** What a request wants beside the job; `deleted` is only ever asked for by a person. */
export type GenerationWish = Omit<DeploymentWish, 'state'> & {
  readonly state: DeploymentWish['state'] | 'deleted';
  /** Of `deleted`: whether its own snapshots go too. */
  readonly purge?: boolean;
};

/**
 * One version of what is wanted. Its job is in the request of its id, or in that which `jobIn` names; equal `job` texts need
 * no new run.
 */
export interface Generation {
  /** From 1. */
  readonly number: number;
  readonly requestId: RunId;
  /** 64 hex digits, of all that makes another run. */
  readonly job: string;
  readonly jobIn?: RunId;
  readonly scale?: GenerationScale;
  /** 64 hex digits, of the job whoever sent it: an upload of the same bytes is the same program. */
  readonly program: string;
  /** `2.3` */
  readonly flinkVersion: string;
  readonly wish: GenerationWish;
  readonly plan: StatePlan;
  readonly notify: readonly string[];
  readonly at: Instant;
  /** `s3://jars/orders.jar`, the ARN of a queue, the name of a schedule or a person. */
  readonly by: string;
  /** A newer one took its place before it was reached, or an older upload came late. */
  readonly superseded?: boolean;
  /** It has been rolled back: its program is not tried again before it changes, or somebody asks for it. */
  readonly rejected?: { readonly at: Instant; readonly reason: Reason; readonly message: string };
  /** The job of an earlier generation again, in place of this one, which was rejected. */
  readonly rollbackOf?: number;
  /** When the load asked for it; its job is that of the generation before, in another parallelism. */
  readonly autoscaledAt?: Instant;
}

/** In how many subtasks its job runs. */
export interface GenerationScale extends Scale {
  /** 64 hex digits, of all else that makes another run. */
  readonly of: string;
  /** Whether Flink gives its job another parallelism while it runs. */
  readonly inPlace: boolean;
}

export type RunWhy = 'create' | 'upgrade' | 'restart' | 'resume' | 'redeploy' | 'rollback';
/** `unstable`: it was not stable by the end of its probation, and has nothing to lose. */
export type StopWhy = 'upgrade' | 'restart' | 'redeploy' | 'suspend' | 'delete' | 'unstable';

/** How a run is asked to end. */
export type StopMode =
  | {
      readonly mode: 'savepoint';
      readonly format: SavepointFormat;
      readonly until: Instant;
      readonly fallback: 'none' | 'last-state';
    }
  | { readonly mode: 'last-state' }
  | { readonly mode: 'cancel' };

/** The one run that may exist; written before it is made. */
export interface DeploymentRun {
  readonly id: RunId;
  readonly generation: number;
  readonly why: RunWhy;
  readonly startFrom?: Snapshot;
  readonly at: Instant;
  /** Once it was seen to run. */
  readonly runningAt?: Instant;
  /** Once it is asked to end; carried through, whatever is wanted meanwhile. */
  readonly stop?: StopMode & { readonly why: StopWhy; readonly at: Instant };
  /** What its JobManager last told of its checkpoints. */
  readonly checkpoints?: {
    readonly at: Instant;
    /** Complete since it began. */
    readonly own: boolean;
    /** When the newest was complete. */
    readonly newestAt?: Instant;
  };
  /** How it was at the last look of its probation that was answered. */
  readonly health?: Health;
  /** Why it is not stable, since when that is known, and how often it had been restarted by then: its probation begins anew. */
  readonly unstable?: { readonly at: Instant; readonly message: string; readonly restarts: number };
  /** The generation whose parallelism its job is given while it runs; until that is reached, the job may have any. */
  readonly rescale?: {
    readonly generation: number;
    readonly at: Instant;
    /** When Flink was first asked. */
    readonly askedAt?: Instant;
    readonly until: Instant;
  };
  /** When its JobManager was last asked how much there is to do, and what it told lately. */
  readonly load?: { readonly at: Instant; readonly samples: readonly LoadSample[] };
  /** How often its job was given another parallelism: Flink counts each as a restart. */
  readonly rescales?: number;
  /** Its clean-up takes long, and that is told. */
  readonly lateTold?: boolean;
  /** Whether it was made before its turn, and begins its program with a permit. */
  readonly prepared?: true;
  /** It was a run of its own before. `at`: since when its record says that it is the deployment's, and its state is kept. */
  readonly adopted?: { readonly at?: Instant };
}

/** A run that is made while the one before it goes on; its program may not begin. */
export interface NextRun {
  readonly id: RunId;
  readonly generation: number;
  readonly at: Instant;
  /** When the upgrade goes on without it, unless it is ready. */
  readonly until: Instant;
  /** What its operators make of the state that the present run has. */
  readonly checked?: StateCheck;
  /** It is not wanted any more: it never gets a permit, and is forgotten once it has ended. */
  readonly dropped?: true;
}

/** What a JobManager tells of a job that is new. */
export interface Health {
  readonly at: Instant;
  /** Whether all its tasks run, or have finished. */
  readonly tasksRun: boolean;
  /** Since its JobManager began. */
  readonly restarts: number;
  readonly failedCheckpoints: number;
  /** Whether one is being taken. */
  readonly takesCheckpoint: boolean;
}

/** The last generation that was stable: what a newer one can be rolled back to until it is stable itself. */
export interface Stable {
  readonly generation: number;
  readonly at: Instant;
  /** The state that it left when it made room: what it would go on from. */
  readonly left?: Snapshot;
}

/** A snapshot of the deployment's own, or one that it ended with. */
export interface KeptSnapshot {
  /** From 1. */
  readonly ordinal: number;
  readonly snapshot: Snapshot;
  readonly why: StopWhy | 'end' | 'nonce' | 'periodic';
  readonly at: Instant;
  readonly generation: number;
  /** The last run that started from it. */
  readonly restoredBy?: RunId;
  /** Never retired. */
  readonly pinned?: boolean;
  /** Being deleted: nothing starts from it any more. */
  readonly deletingAt?: Instant;
}

/** A snapshot that is being taken while the job runs on; at most one at a time. */
export interface SnapshotRequest {
  /** Of all requests of the deployment, from 1. */
  readonly ordinal: number;
  readonly kind: 'savepoint' | 'checkpoint';
  readonly why: 'nonce' | 'periodic';
  readonly run: RunId;
  /** 32 lower-case hex digits: a repeat joins the operation that Flink has of it. */
  readonly triggerId: string;
  /** Of this request alone; absent for a checkpoint. */
  readonly directory?: string;
  readonly format: SavepointFormat;
  readonly at: Instant;
  /** When it is given up. */
  readonly until: Instant;
}

/** Why nothing is done for the wanted generation, and what can be: stands until a newer one is wanted. */
export interface Settled {
  readonly generation: number;
  readonly reason: Reason;
  readonly message: string;
  readonly choices: readonly string[];
  readonly at: Instant;
}

/** The ledger's one object for a deployment, version 1. */
export interface DeploymentRecord {
  readonly version: 1;
  readonly id: DeploymentId;
  readonly tenant?: string;
  readonly target: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: DeploymentState;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** The newest, in order; those that are referred to are kept. */
  readonly generations: readonly Generation[];
  readonly wanted: number;
  /** The last one that was wanted and came true. */
  readonly reached: number;
  /** The newest upload that was taken, by which an older one is known. */
  readonly upload?: { readonly bucket: string; readonly key: string; readonly sequencer: string };
  readonly run?: DeploymentRun;
  /** Beside a run, or in the place of one that has ended. */
  readonly next?: NextRun;
  /** The run before the present one: its job has ended for good, and what it leaves is still being removed. */
  readonly leaving?: { readonly id: RunId; readonly lateTold?: true };
  /** That it has no end is a guess, from how Flink ran its first run: nobody has said so. */
  readonly guessed?: true;
  /** The generation for which no run is prepared, or not again. */
  readonly unprepared?: number;
  /** The generation that the running job cannot come to while it runs, and why. */
  readonly unscaled?: { readonly generation: number; readonly message: string };
  /** How many there were, with the present one. */
  readonly runs: number;
  /** Of the last run that is gone. */
  readonly last?: { readonly id: RunId; readonly generation: number };
  /** The newest complete state of the runs that are gone: what the next one starts from. */
  readonly newest?: Snapshot;
  /** Why there may be a newer one than `newest`, of which nobody could tell. */
  readonly unknown?: string;
  /** Its job ended by itself: its state is over. */
  readonly finishedAt?: Instant;
  readonly settled?: Settled;
  readonly stable?: Stable;
  /** The numbers that were acted upon. */
  readonly done: DeploymentWish['nonces'];
  readonly snapshots: readonly KeptSnapshot[];
  readonly snapshotOrdinal: number;
  readonly request?: SnapshotRequest;
  readonly requests: number;
  /** When the last periodic savepoint was asked for. */
  readonly periodicAt?: Instant;
  /** Directories of requests that came to nothing: removed once their run is gone. */
  readonly leftovers: readonly { readonly directory: string; readonly run: RunId }[];
  readonly events: readonly DeploymentEvent[];
  readonly sequence: number;
  /** When it is due to be looked at, though nothing else asks for it. */
  readonly dueAt?: Instant;
  readonly jarKeptAt: Instant;
  readonly stepError?: {
    readonly since: Instant;
    readonly count: number;
    readonly reason: Reason;
    readonly message: string;
  };
}

/** A request as it was accepted: written once, and never changed. */
export interface DeploymentRequest {
  readonly version: 1;
  readonly deployment: DeploymentRecord['id'];
  readonly requestId: RunId;
  readonly tenant?: string;
  /** Hash of the payload: the same identity with another payload is refused. */
  readonly fingerprint: string;
  readonly job: ResolvedJob & { readonly state: StatePlan };
  readonly wish: GenerationWish;
  readonly source: RunSource;
  readonly by: string;
  readonly at: Instant;
  /** A person's order about a job that was accepted before: that job's text. */
  readonly sameJob?: string;
  /** Of an order: the job's text without its parallelism. */
  readonly unscaled?: string;
  /** A person's order to roll back: the generation that is not to be tried again. */
  readonly rejects?: number;
}

export function generationOf(record: DeploymentRecord, number: number): Generation | undefined {
  return record.generations.find((generation) => generation.number === number);
}

/** Where the ledger bucket has a deployment's record. */
export function deploymentKey(id: DeploymentRecord['id']): string {
  return `deployments/${id}/record.json`;
}
