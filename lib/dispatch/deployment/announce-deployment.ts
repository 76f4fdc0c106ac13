import type { DeploymentRecord } from '../../deployment/record.ts';
import { buildDeploymentEvent } from '../../outcome/deployment-event.ts';
import type { DispatchDeps } from '../deps.ts';

/**
 * Publishes what the outbox still holds, in order. What cannot be published now is late, and comes before what happens
 * after it. The record that is returned has to be written.
 */
export async function publishOutbox(record: DeploymentRecord, deps: DispatchDeps): Promise<DeploymentRecord> {
  const published = new Set<number>();
  try {
    for (const event of record.events) {
      if (event.publishedAt !== undefined) continue;
      await deps.publisher.publish(buildDeploymentEvent(record, event, deps.eventContext), event.notify);
      published.add(event.sequence);
    }
  } catch (error) {
    deps.log.warn('events are late', { deployment: record.id, error });
  }
  if (published.size === 0) return record;
  const publishedAt = deps.clock.now();
  const events = record.events.map((event) => (published.has(event.sequence) ? { ...event, publishedAt } : event));
  return { ...record, events };
}
