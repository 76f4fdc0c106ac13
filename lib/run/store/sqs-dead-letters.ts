import { SendMessageCommand, type MessageAttributeValue, type SQSClient } from '@aws-sdk/client-sqs';
import { fromAwsError } from '../../core/aws-error.ts';
import { REASONS } from '../../core/reasons.ts';
import { redactDocument } from '../../core/redaction/document.ts';
import { redactText } from '../../core/redaction/redact.ts';
import { cutUtf8, toWireText } from '../../core/wire-text.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';

/** A message of SQS with its attributes is at most 256 KiB in every region; the attributes take at most 8 of them. */
const MAX_BODY = 240 * 1024;
const MAX_ATTRIBUTE = 1024;
const TRUNCATED = '… (truncated)';

/**
 * Dead letters on a queue: the original body without its secrets, so that it can be sent again once it is corrected, and why it came here as
 * message attributes `reason`, `message`, `field`, `todo`, `source`, and `truncated` when the body was cut.
 */
export function createSqsDeadLetters(queue: { readonly sqs: SQSClient; readonly queueUrl: string }): DeadLetters {
  return {
    async put(letter) {
      try {
        await queue.sqs.send(new SendMessageCommand({ QueueUrl: queue.queueUrl, ...messageOf(letter) }));
      } catch (error) {
        throw fromAwsError(error, { action: 'sqs:SendMessage', resource: queue.queueUrl });
      }
    },
  };
}

function messageOf({ body, source, reason, message, field }: DeadLetter): {
  MessageBody: string;
  MessageAttributes: Record<string, MessageAttributeValue>;
} {
  const whole = toWireText(redactDocument(body, 'application/json'));
  const kept = cutUtf8(whole, MAX_BODY, TRUNCATED);
  const truncated = kept === whole ? undefined : 'true';
  const why = { reason, message: redactText(message), field, todo: REASONS[reason].todo, source, truncated };
  // SQS refuses an empty body, and an empty attribute
  const attributes = Object.entries(why).flatMap(([name, text]) =>
    text === undefined || text === '' ? [] : [[name, attribute(text)] as const],
  );
  return { MessageBody: kept === '' ? ' ' : kept, MessageAttributes: Object.fromEntries(attributes) };
}

function attribute(text: string): MessageAttributeValue {
  return { DataType: 'String', StringValue: cutUtf8(toWireText(text), MAX_ATTRIBUTE, '…') };
}
