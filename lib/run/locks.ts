import type { RunId } from '../core/ids.ts';

/** `holder`: who has the lock, or who is first in line for it. */
export type LockState = { readonly held: true } | { readonly held: false; readonly holder: RunId };

/**
 * One holder per concurrency key, until it is released, and a line of those who wait for it: no lease, because a holder
 * is a run whose record tells whether it still lives. All methods may be repeated, and throw DispatchError
 * `StorageUnavailable` when the answer is lost.
 */
export interface Locks {
  /**
   * Held by this run already is held. A free lock goes to the first in line alone; `joins`: whoever does not get it
   * takes the last place in the line, once.
   */
  acquire(key: string, runId: RunId, joins: boolean): Promise<LockState>;
  /** The run neither holds the lock nor waits for it any more; nothing happens when it did neither. */
  release(key: string, runId: RunId): Promise<void>;
}
