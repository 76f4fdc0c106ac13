import { DispatchError, describeError, isDispatchError } from '../core/errors.ts';
import type { PublicDeploymentEvent } from './deployment-schema.ts';
import type { LifecycleEvent } from './schema.ts';

/** Of a run or of a deployment. */
export type PublicEvent = LifecycleEvent | PublicDeploymentEvent;

export function isRunEvent(event: PublicEvent): event is LifecycleEvent {
  return !('deploymentId' in event.data);
}

/** Where events go. */
export interface Destination {
  /** For messages to people: `EventBridge bus x`, `SNS topic y`. */
  readonly name: string;
  /**
   * Accepted by the service when it returns. Delivering the same event again is allowed: it has the same id.
   * @throws DispatchError `StorageUnavailable` to try again, `PermissionDenied`, `Internal`.
   */
  deliver(event: PublicEvent): Promise<void>;
}

export interface Publisher {
  /**
   * To all destinations of the deployment and to those of the run (`record.job.notify`: SQS queue URLs, SNS topic ARNs).
   * @throws DispatchError when any failed, after all were tried; retryable when one of them is. Publishing the same event
   *   again is allowed.
   */
  publish(event: PublicEvent, notify: readonly string[]): Promise<void>;
}

/** `open` makes the destination of one entry of `notify`. */
export function createPublisher(options: {
  readonly destinations: readonly Destination[];
  readonly open: (address: string) => Destination;
}): Publisher {
  return {
    async publish(event, notify) {
      const further = [...new Set(notify)].map((address) => deferred(options.open, address));
      const all = [...options.destinations, ...further];
      const results = await Promise.allSettled(all.map((destination) => destination.deliver(event)));
      const errors = results.flatMap((result, index) =>
        result.status === 'fulfilled' ? [] : [{ name: all[index]?.name ?? '', error: result.reason as unknown }],
      );
      if (errors.length > 0) throw combined(event, errors);
    },
  };
}

/** An address that cannot be opened fails like a destination that cannot be reached, beside the others. */
function deferred(open: (address: string) => Destination, address: string): Destination {
  return { name: address, deliver: async (event) => open(address).deliver(event) };
}

function combined(event: PublicEvent, errors: readonly { name: string; error: unknown }[]): DispatchError {
  const known = errors.map(({ error }) => error).filter(isDispatchError);
  const leading = known.find((error) => error.retryable) ?? known[0];
  const said = errors.map(({ name, error }) => `${name}: ${describeError(error)}`).join('; ');
  const message = `event ${event.id} did not reach ${errors.length} destination(s): ${said}`;
  return new DispatchError(leading?.reason ?? 'Internal', message, { cause: leading ?? errors[0]?.error });
}
