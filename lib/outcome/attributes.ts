import { defined } from '../core/defined.ts';
import { cutUtf8, toWireText } from '../core/wire-text.ts';
import type { PublicEvent } from './publisher.ts';

/** What SNS filter policies and SQS consumers can tell an event by without reading it. */
export function attributesOf(event: PublicEvent): Record<string, { DataType: 'String'; StringValue: string }> {
  const { name, state, reason } = event.data;
  const texts = { type: event.type, state, name, ...defined({ reason }) };
  const attributes = Object.entries(texts).filter(([, text]) => text !== '');
  return Object.fromEntries(
    attributes.map(([key, text]) => [key, { DataType: 'String', StringValue: cutUtf8(toWireText(text), 256, '…') }]),
  );
}

/** For FIFO queues and topics: a run's or a deployment's events in order, each once. Others refuse these parameters. */
export function fifoOf(
  event: PublicEvent,
  address: string,
): { MessageGroupId?: string; MessageDeduplicationId?: string } {
  return address.endsWith('.fifo') ? { MessageGroupId: event.subject, MessageDeduplicationId: event.id } : {};
}
