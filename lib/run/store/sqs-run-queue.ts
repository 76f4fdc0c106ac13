import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { fromAwsError } from '../../core/aws-error.ts';
import { wholeDelay, type RunQueue } from './run-queue.ts';

/** Run messages on a standard queue (a FIFO queue takes no delay per message). */
export function createSqsRunQueue({ sqs, queueUrl }: { readonly sqs: SQSClient; readonly queueUrl: string }): RunQueue {
  return {
    async send(message, delaySeconds) {
      const input = {
        QueueUrl: queueUrl,
        MessageBody: JSON.stringify(message),
        DelaySeconds: wholeDelay(delaySeconds),
      };
      try {
        await sqs.send(new SendMessageCommand(input));
      } catch (error) {
        throw fromAwsError(error, { action: 'sqs:SendMessage', resource: queueUrl });
      }
    },
  };
}
