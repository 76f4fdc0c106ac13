import type { Instant } from '../../core/clock.ts';
import type { RunId } from '../../core/ids.ts';

/** `holder`: who has the lock, or who is first in line for it, then with `since`. */
export type LockState =
  { readonly held: true } | { readonly held: false; readonly holder: RunId; readonly since?: Instant };

/** A concurrency key, which is the tenant's own. */
export interface LockName {
  readonly tenant?: string;
  readonly key: string;
}

/** A run that asks for its turn. Its place in line is by `since`, when the run was accepted, and then by its id. */
export interface Contender {
  readonly runId: RunId;
  readonly since: Instant;
}

/** Who has a lock, and who waits for it, in the order of their turns: the first 1,000. */
export interface LockLine {
  readonly holder: RunId | undefined;
  readonly queue: readonly RunId[];
}

/** Reads locks alone. Throws as `Locks`. */
export type LockReader = (name: LockName) => Promise<LockLine>;

/**
 * One holder per concurrency key, until it is released, and a queue of those who wait for it: no lease, because a holder
 * is a run whose record tells whether it still lives. Joining the queue changes nothing that others change, so any number
 * may join at once. All methods may be repeated, and throw DispatchError `StorageUnavailable` when the answer is lost.
 */
export interface Locks {
  /**
   * Held by this run already is held. A free lock goes to the first in the queue alone; `enqueue`: whoever does not get it
   * takes its place in the queue, once.
   */
  acquire(name: LockName, contender: Contender, options: { readonly enqueue: boolean }): Promise<LockState>;
  /**
   * The run neither holds the lock nor waits for it any more; nothing happens when it did neither. Answers who is first in
   * line for a lock that is free now, and has to be told: nobody else does so.
   */
  release(name: LockName, contender: Contender): Promise<RunId | undefined>;
}
