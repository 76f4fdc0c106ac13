import { PutEventsCommand, type EventBridgeClient, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { fromAwsError } from '../core/aws-error.ts';
import { DispatchError } from '../core/errors.ts';
import { toWireJson } from '../core/wire-text.ts';
import type { Destination } from './publisher.ts';
import type { LifecycleEvent } from './schema.ts';

/** What rules match on beside the detail: `source` and `detail-type`. */
const EVENTBRIDGE_SOURCE = 'flink-dispatch';

const DETAIL_TYPES: Readonly<Record<LifecycleEvent['type'], string>> = {
  'io.flink-dispatch.run.accepted.v1': 'Flink Run Accepted',
  'io.flink-dispatch.run.started.v1': 'Flink Run Started',
  'io.flink-dispatch.run.attempt-failed.v1': 'Flink Run Attempt Failed',
  'io.flink-dispatch.run.completed.v1': 'Flink Run Completed',
};

const ACTION = 'events:PutEvents';

/** `detail` is the whole CloudEvent. `bus`: a name or an ARN. */
export function createEventBridgeDestination(options: {
  readonly eventBridge: EventBridgeClient;
  readonly bus: string;
}): Destination {
  const { eventBridge, bus } = options;
  return {
    name: `EventBridge bus ${bus}`,
    async deliver(event) {
      const entry = {
        EventBusName: bus,
        Source: EVENTBRIDGE_SOURCE,
        DetailType: DETAIL_TYPES[event.type],
        Time: new Date(event.time),
        Resources: [],
        Detail: toWireJson(event),
      };
      try {
        const answer = await eventBridge.send(new PutEventsCommand({ Entries: [entry] }));
        if ((answer.FailedEntryCount ?? 0) > 0) throw refused(answer.Entries?.[0], bus);
      } catch (error) {
        throw fromAwsError(error, { action: ACTION, resource: bus });
      }
    },
  };
}

/** A 200 that refused the entry. */
function refused(entry: PutEventsResultEntry | undefined, bus: string): DispatchError {
  const code = entry?.ErrorCode ?? 'InternalFailure';
  const message = `${ACTION} on ${bus} refused the event: ${code}: ${entry?.ErrorMessage ?? 'no message'}`;
  if (/^Internal|Throttl|ServiceUnavailable/.test(code)) return new DispatchError('StorageUnavailable', message);
  return new DispatchError(/NotAuthorized|AccessDenied/.test(code) ? 'PermissionDenied' : 'Internal', message);
}
