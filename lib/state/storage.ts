import type { Instant } from '../core/clock.ts';
import type { SnapshotContent } from './metadata/read-metadata.ts';

/** Of a savepoint or checkpoint, Flink writes `_metadata` last: where it is, the rest is. */
export interface StoredState {
  /** When it was complete. */
  readonly at: Instant;
  /** Of `_metadata` alone. */
  readonly bytes: number;
  /** As it says itself: in order among those of one job id, savepoints included. */
  readonly checkpointId: number;
}

export interface StoredSavepoint extends StoredState {
  /** The directory, under the scheme in which it was asked for, without a slash at its end. */
  readonly path: string;
}

export interface StoredCheckpoint extends StoredSavepoint {
  /** Flink's number of it, in order among those of its job. */
  readonly number: number;
}

/**
 * What Flink has written into a directory that the dispatcher may look at. Every method throws DispatchError
 * `StateStorageUnavailable` when there is no answer, which says nothing of the state, and `StateStorageDenied` when there
 * never will be one: rights are missing, or `allow.stateStorage` does not name the path; then nothing is asked.
 */
export interface StateStorage {
  /** The complete snapshot of that directory; `undefined`: there is none. */
  look(path: string): Promise<StoredState | undefined>;
  /** What is in it; `undefined`: there is none. @throws DispatchError `StateUnreadable` also when its metadata is broken */
  content(path: string): Promise<SnapshotContent | undefined>;
  /** The complete savepoints directly below, in no order. */
  savepoints(directory: string): Promise<readonly StoredSavepoint[]>;
  /** The complete savepoints in those of its folders whose names begin with `start`, in no order. */
  savepointsBelow(directory: string, start: string): Promise<readonly StoredSavepoint[]>;
  /** The complete ones of the job, highest number first. */
  checkpoints(directory: string, jobId: string): Promise<readonly StoredCheckpoint[]>;
  /** Removes everything below a path. Only for paths of which no other stream knows. */
  remove(path: string): Promise<void>;
}

/** The storage that a URI lies in. @throws DispatchError `StateStorageDenied` when there is none for its scheme */
export type StateStorages = (uri: string) => StateStorage;

/** Flink appends to a directory whatever it ends with. */
export function below(directory: string, ...names: readonly string[]): string {
  return [directory.replace(/\/+$/, ''), ...names].join('/');
}

/** Whether `path` is in `directory`, or is it. Schemes of one storage are the same: `s3a://b/x` is in `s3://b`. */
export function isBelow(path: string, directory: string): boolean {
  const [inner, outer] = [bare(path), bare(directory)];
  return inner === outer || inner.startsWith(`${outer}/`);
}

/** Flink's S3 file systems, Hadoop's and Presto's, have a scheme each, and one in common. */
function bare(uri: string): string {
  return uri.replace(/^s3[ap]:/i, 's3:').replace(/\/+$/, '');
}
