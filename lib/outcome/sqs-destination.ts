import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { fromAwsError } from '../core/aws-error.ts';
import { toWireJson } from '../core/wire-text.ts';
import { attributesOf, fifoOf } from './attributes.ts';
import type { Destination } from './publisher.ts';

/** The body is the whole CloudEvent. */
export function createSqsDestination({
  sqs,
  queueUrl,
}: {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
}): Destination {
  return {
    name: `SQS queue ${queueUrl}`,
    async deliver(event) {
      const input = {
        QueueUrl: queueUrl,
        MessageBody: toWireJson(event),
        MessageAttributes: attributesOf(event),
        ...fifoOf(event, queueUrl),
      };
      try {
        await sqs.send(new SendMessageCommand(input));
      } catch (error) {
        throw fromAwsError(error, { action: 'sqs:SendMessage', resource: queueUrl });
      }
    },
  };
}
