import type { RunId } from '../core/ids.ts';

export type LockState = { readonly held: true } | { readonly held: false; readonly holder: RunId };

/**
 * One holder per concurrency key, until it is released: no lease, because a holder is a run whose record tells whether
 * it still lives. All methods may be repeated, and throw DispatchError `StorageUnavailable` when the answer is lost.
 */
export interface Locks {
  /** Held by this run already is held. */
  acquire(key: string, runId: RunId): Promise<LockState>;
  /** Nothing happens when the run is not the holder. */
  release(key: string, runId: RunId): Promise<void>;
  /** The holder's successor takes the lock; `held: false` when `from` is not the holder (any more). A free lock is taken. */
  transfer(key: string, from: RunId, to: RunId): Promise<LockState>;
}
