import type { LifecycleEvent } from './schema.ts';

/** Where events go. */
export interface Destination {
  /** For messages to people: `EventBridge bus x`, `SNS topic y`. */
  readonly name: string;
  /**
   * Accepted by the service when it returns. Delivering the same event again is allowed: it has the same id.
   * @throws DispatchError `StorageUnavailable` to try again, `PermissionDenied`, `Internal`.
   */
  deliver(event: LifecycleEvent): Promise<void>;
}

export interface Publisher {
  /**
   * To all destinations of the deployment and to those of the run (`record.job.notify`: SQS queue URLs, SNS topic ARNs).
   * All are tried, and it fails when any failed; publish the same event again then.
   */
  publish(event: LifecycleEvent, notify: readonly string[]): Promise<void>;
}
