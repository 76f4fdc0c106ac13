import { PutEventsCommand, type EventBridgeClient, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { fromAwsError } from '../core/aws-error.ts';
import { DispatchError } from '../core/errors.ts';
import { toWireJson } from '../core/wire-text.ts';
import type { Destination, PublicEvent } from './publisher.ts';

/** What rules match on beside the detail: `source` and `detail-type`. */
const EVENTBRIDGE_SOURCE = 'flink-dispatch';

const DETAIL_TYPES: Readonly<Record<PublicEvent['type'], string>> = {
  'io.flink-dispatch.run.accepted.v1': 'Flink Run Accepted',
  'io.flink-dispatch.run.started.v1': 'Flink Run Started',
  'io.flink-dispatch.run.attempt-failed.v1': 'Flink Run Attempt Failed',
  'io.flink-dispatch.run.completed.v1': 'Flink Run Completed',
  'io.flink-dispatch.deployment.accepted.v1': 'Flink Deployment Accepted',
  'io.flink-dispatch.deployment.superseded.v1': 'Flink Deployment Superseded',
  'io.flink-dispatch.deployment.started.v1': 'Flink Deployment Started',
  'io.flink-dispatch.deployment.preparing.v1': 'Flink Deployment Preparing',
  'io.flink-dispatch.deployment.unprepared.v1': 'Flink Deployment Unprepared',
  'io.flink-dispatch.deployment.rescaling.v1': 'Flink Deployment Rescaling',
  'io.flink-dispatch.deployment.rescaled.v1': 'Flink Deployment Rescaled',
  'io.flink-dispatch.deployment.upgrading.v1': 'Flink Deployment Upgrading',
  'io.flink-dispatch.deployment.upgraded.v1': 'Flink Deployment Upgraded',
  'io.flink-dispatch.deployment.upgrade-failed.v1': 'Flink Deployment Upgrade Failed',
  'io.flink-dispatch.deployment.stable.v1': 'Flink Deployment Stable',
  'io.flink-dispatch.deployment.unstable.v1': 'Flink Deployment Unstable',
  'io.flink-dispatch.deployment.rolling-back.v1': 'Flink Deployment Rolling Back',
  'io.flink-dispatch.deployment.rolled-back.v1': 'Flink Deployment Rolled Back',
  'io.flink-dispatch.deployment.rejected.v1': 'Flink Deployment Rejected',
  'io.flink-dispatch.deployment.delayed.v1': 'Flink Deployment Delayed',
  'io.flink-dispatch.deployment.suspending.v1': 'Flink Deployment Suspending',
  'io.flink-dispatch.deployment.suspended.v1': 'Flink Deployment Suspended',
  'io.flink-dispatch.deployment.resumed.v1': 'Flink Deployment Resumed',
  'io.flink-dispatch.deployment.blocked.v1': 'Flink Deployment Blocked',
  'io.flink-dispatch.deployment.snapshot.v1': 'Flink Deployment Snapshot',
  'io.flink-dispatch.deployment.snapshot-failed.v1': 'Flink Deployment Snapshot Failed',
  'io.flink-dispatch.deployment.finished.v1': 'Flink Deployment Finished',
  'io.flink-dispatch.deployment.deleted.v1': 'Flink Deployment Deleted',
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
