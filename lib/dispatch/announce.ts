import type { RunRecord } from '../run/record.ts';
import { buildEvent } from '../outcome/event.ts';
import type { DispatchDeps } from './deps.ts';

/**
 * Publishes what the record's outbox still holds, in order. The record that is returned has to be written: a crash
 * before that publishes the same events again, with the same ids.
 */
export async function publishPending(record: RunRecord, deps: DispatchDeps): Promise<RunRecord> {
  const pending = record.events.filter((event) => event.publishedAt === undefined);
  for (const event of pending) {
    await deps.publisher.publish(buildEvent(record, event, deps.eventContext), record.job?.notify ?? []);
  }
  if (pending.length === 0) return record;
  const publishedAt = deps.clock.now();
  return { ...record, events: record.events.map((event) => ({ publishedAt, ...event })) };
}
