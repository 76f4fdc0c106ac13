import * as z from 'zod';
import { DispatchError } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import { parseWith } from '../core/schema.ts';
import { parseObjectText, parseObjectTexts } from '../core/yaml.ts';
import { asDispatchError, type RecordResult } from './record-result.ts';

const recordSchema = z.looseObject({
  messageId: z.string().min(1),
  body: z.string(),
  eventSourceARN: z.string().min(1),
  attributes: z.looseObject({ MessageDeduplicationId: z.string().optional() }).optional(),
  messageAttributes: z.record(z.string(), z.looseObject({ stringValue: z.string().optional() })).optional(),
});

/** One record of the event with which Lambda passes SQS messages on. */
export type SqsRecord = z.output<typeof recordSchema>;

export function isSqsEvent(event: unknown): event is { Records: readonly unknown[] } {
  const first = recordsOf(event)[0];
  return isRecord(first) && first['eventSource'] === 'aws:sqs';
}

export function recordsOf(event: unknown): readonly unknown[] {
  return isRecord(event) && Array.isArray(event['Records']) ? (event['Records'] as unknown[]) : [];
}

/** Each record on its own: what one throws becomes its own result. */
export function mapSqsRecords(event: unknown, parse: (record: SqsRecord) => RecordResult): readonly RecordResult[] {
  return recordsOf(event).map((raw) => {
    const messageId = isRecord(raw) && typeof raw['messageId'] === 'string' ? raw['messageId'] : '';
    const group = fifoGroup(raw);
    const ordered = group === undefined ? {} : { group };
    try {
      return { ...parse(parseWith(recordSchema, raw, 'record', 'MalformedRequest')), ...ordered };
    } catch (thrown) {
      return { messageId, ...ordered, requests: [], error: asDispatchError(thrown) };
    }
  });
}

/** Standard queues have message groups as well (fair queues), and no order. */
function fifoGroup(raw: unknown): string | undefined {
  if (!isRecord(raw) || typeof raw['eventSourceARN'] !== 'string' || !raw['eventSourceARN'].endsWith('.fifo')) {
    return undefined;
  }
  const group = isRecord(raw['attributes']) ? raw['attributes']['MessageGroupId'] : undefined;
  return `${raw['eventSourceARN']} ${typeof group === 'string' ? group : ''}`;
}

/** A message's object, taken out of an SNS envelope where the queue subscribes to a topic without raw delivery. */
export function bodyOf(body: string): Record<string, unknown> {
  const value = parseObjectText(body, 'the message');
  const notified = notifiedBy(value);
  return notified === undefined ? value : parseObjectText(notified, NOTIFIED);
}

/** The same of a message that may hold several documents of YAML. */
export function bodiesOf(body: string): ReturnType<typeof parseObjectTexts> {
  const values = parseObjectTexts(body, 'the message');
  const notified = values.length === 1 ? notifiedBy(values[0]) : undefined;
  return notified === undefined ? values : parseObjectTexts(notified, NOTIFIED);
}

const NOTIFIED = "the SNS notification's message";

function notifiedBy(value: Record<string, unknown>): string | undefined {
  if (value['Type'] !== 'Notification' || typeof value['TopicArn'] !== 'string') return undefined;
  if (typeof value['Message'] === 'string') return value['Message'];
  throw new DispatchError('MalformedRequest', 'the SNS notification has no message', { field: 'Message' });
}
