import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { REASONS } from '../core/reasons.ts';
import { redactText } from '../core/redaction/redact.ts';
import type { DeploymentEvent } from '../deployment/event.ts';
import { deploymentKey, type DeploymentRecord } from '../deployment/record.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { PublicDeploymentEvent } from './deployment-schema.ts';
import type { EventContext } from './event.ts';
import { cutList, cutText, LIMITS } from './limits.ts';

/** The public form of an entry of a deployment's outbox: of what the entry says and of what never changes, so that a retry has the same bytes. */
export function buildDeploymentEvent(
  record: DeploymentRecord,
  event: DeploymentEvent,
  context: EventContext,
): PublicDeploymentEvent {
  const { id, tenant, name, target, namespace } = record;
  const { sequence, type, generation, run, snapshot, reason, message, choices } = event;
  return {
    specversion: '1.0',
    id: `${id}.${sequence}`,
    source: context.source,
    type: `io.flink-dispatch.deployment.${type}.v1`,
    subject: id,
    time: iso(event.time),
    datacontenttype: 'application/json',
    data: {
      deploymentId: id,
      ...defined({ tenant }),
      name: cutText(name, LIMITS.name),
      target,
      namespace,
      sequence,
      state: type,
      generation,
      ...defined({ runId: run }),
      ...(snapshot && { snapshot: publicSnapshot(snapshot) }),
      ...(reason && { reason, reasonClass: REASONS[reason].class, todo: REASONS[reason].todo }),
      ...(message !== undefined && { message: cutText(redactText(message), LIMITS.message) }),
      ...(choices && { choices: cutList(choices, LIMITS.finding, LIMITS.findings) }),
      record: `s3://${context.ledgerBucket}/${deploymentKey(id)}`,
    },
  };
}

function publicSnapshot({ kind, path, format, checkpointId, run, at, bytes }: Snapshot) {
  const time = at === undefined ? undefined : iso(at);
  return { kind, path: redactText(path), ...defined({ format, checkpointId, runId: run, at: time, bytes }) };
}

function iso(at: Instant): string {
  return new Date(Math.round(at)).toISOString();
}
