import { isRecord } from '../lib/core/json.ts';
import type { Original } from '../lib/dispatch/accept-batch.ts';

/** Finds the record of an event by its message id; of an event that has none, the event itself. */
export function originalIn(event: unknown): Original {
  const records = isRecord(event) && Array.isArray(event['Records']) ? event['Records'].filter(isRecord) : [];
  return (messageId) => {
    const record = records.find((candidate) => candidate['messageId'] === messageId);
    const { body, eventSourceARN } = record ?? {};
    return {
      body: typeof body === 'string' ? body : JSON.stringify(event),
      source: typeof eventSourceARN === 'string' ? eventSourceARN : 'event',
    };
  };
}
