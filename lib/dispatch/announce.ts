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

/** Whether the end is not told yet, and nobody has tried to keep its report. One of a former version has told it without. */
export function isWithoutReport(record: RunRecord): boolean {
  return record.state === 'ended' && record.report === undefined && record.events.some(isUntold);
}

function isUntold({ type, publishedAt }: RunRecord['events'][number]): boolean {
  return type === 'completed' && publishedAt === undefined;
}

/**
 * Keeps the report of a run that has ended. What the record that is returned says of it has to be written before the end is told: the
 * event links the report or does not, however often it is sent. One that cannot be kept holds nothing up.
 */
export async function keepReport(record: RunRecord, { evidence, reportOf, log }: DispatchDeps): Promise<RunRecord> {
  const kept: RunRecord = { ...record, report: 'kept' };
  try {
    await evidence.putReport(record.runId, reportOf(kept));
    return kept;
  } catch (error) {
    log.warn('the report was not kept', { runId: record.runId, error });
    return { ...record, report: 'lost' };
  }
}
