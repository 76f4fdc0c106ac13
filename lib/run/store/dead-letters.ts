import type { Reason } from '../../core/reasons.ts';

/** A request that nothing can be done with, kept for a person with why. */
export interface DeadLetter {
  /** As it came. */
  readonly body: string;
  /** Where it came from: a queue's ARN, a bucket and key, a schedule. */
  readonly source: string;
  readonly reason: Reason;
  readonly message: string;
  /** The input field at fault. */
  readonly field?: string;
}

export interface DeadLetters {
  /**
   * Durable when it returns; the reason's `todo` goes with it.
   * @throws DispatchError `StorageUnavailable` when the answer is lost: putting it again is harmless. `PermissionDenied`.
   */
  put(letter: DeadLetter): Promise<void>;
}
