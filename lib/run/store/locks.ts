import type { RunId } from '../../core/ids.ts';

/** `holder`: who has the lock, or who is first in line for it. */
export type LockState = { readonly held: true } | { readonly held: false; readonly holder: RunId };

/** A concurrency key, which is the tenant's own. */
export interface LockName {
  readonly tenant?: string;
  readonly key: string;
}

/**
 * One holder per concurrency key, until it is released, and a queue of those who wait for it: no lease, because a holder
 * is a run whose record tells whether it still lives. All methods may be repeated, and throw DispatchError
 * `StorageUnavailable` when the answer is lost.
 */
export interface Locks {
  /**
   * Held by this run already is held. A free lock goes to the first in the queue alone; `enqueue`: whoever does not get it
   * takes the last place in the queue, once.
   */
  acquire(name: LockName, runId: RunId, options: { readonly enqueue: boolean }): Promise<LockState>;
  /** The run neither holds the lock nor waits for it any more; nothing happens when it did neither. */
  release(name: LockName, runId: RunId): Promise<void>;
}
