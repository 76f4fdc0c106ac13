import type { Duration, Instant } from '../core/clock.ts';
import type { RunId } from '../core/ids.ts';
import type { RunRecord } from '../run/record.ts';
import type { DeploymentRecord, DeploymentRun, NextRun, SnapshotRequest, StopMode } from './record.ts';

/** What is to be done, once the record that names it is written. Each may be done again. */
export type DeploymentEffect =
  /** Makes the run, and sends its first message. */
  | { readonly kind: 'start-run'; readonly run: DeploymentRun }
  /** Has the record of a run that was one of its own say that it is the deployment's, and keep its state. */
  | { readonly kind: 'adopt-run'; readonly run: DeploymentRun }
  /** Makes the run, held: it waits for its permit. */
  | { readonly kind: 'prepare-run'; readonly next: NextRun }
  /** Compares the operators of the run, which is ready, with the state. */
  | { readonly kind: 'check-state'; readonly next: NextRun }
  /** Ends a run that was prepared and gets no permit. */
  | { readonly kind: 'drop-run'; readonly next: NextRun }
  /** Lets a run that was prepared begin its program. */
  | { readonly kind: 'permit-run'; readonly run: DeploymentRun }
  | { readonly kind: 'stop-run'; readonly runId: RunId; readonly stop: StopMode; readonly upgrade: boolean }
  /** Asks Flink for the snapshot, or what has become of it. */
  | { readonly kind: 'take-snapshot'; readonly request: SnapshotRequest }
  /** Asks Flink to run the job with another parallelism, or whether it does. */
  | { readonly kind: 'rescale'; readonly run: DeploymentRun }
  /** Asks the JobManager how much its job has to do. */
  | { readonly kind: 'look-at-load'; readonly runId: RunId }
  /** Asks the JobManager about its job and its checkpoints. */
  | { readonly kind: 'look'; readonly runId: RunId }
  | { readonly kind: 'remove-snapshot'; readonly ordinal: number; readonly directory: string | undefined }
  | { readonly kind: 'remove-leftover'; readonly directory: string }
  | { readonly kind: 'keep-jar'; readonly generation: number };

export interface Decision {
  readonly record: DeploymentRecord;
  readonly effects: readonly DeploymentEffect[];
  /** When to look again, whatever happens meanwhile; absent: only when something happens. */
  readonly dueAt?: Instant;
}

/** A message about what goes on may be lost. */
export const TRANSITION: Duration = 30_000;
/** How often Flink is asked what has become of a snapshot. */
export const POLL: Duration = 5_000;
/** How long the first step of a run takes to be on record, and more. */
const UNHEARD: Duration = 20_000;

/** Whoever made it died before its first message was sent: making it again finds it, and sends that. */
export function isUnheard({ state, step, createdAt }: RunRecord, now: Instant): boolean {
  return state === 'accepted' && step.number === 1 && now - createdAt >= UNHEARD;
}

/** Until the snapshot that is being taken is there, or is given up. */
export function waitForRequest(record: DeploymentRecord, request: SnapshotRequest, now: Instant): Decision {
  return { record, effects: [{ kind: 'take-snapshot', request }], dueAt: now + POLL };
}
