import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { fromAwsError } from '../../../../../lib/core/aws-error.ts';

/** To the queue of job messages. `group` and `once` are for a FIFO queue. @throws DispatchError as `fromAwsError` */
export async function sendMessage(
  sqs: SQSClient,
  queueUrl: string,
  body: object,
  { group, once }: { readonly group: string; readonly once: string },
): Promise<void> {
  const fifo = queueUrl.endsWith('.fifo') ? { MessageGroupId: group, MessageDeduplicationId: once } : {};
  try {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(body), ...fifo }));
  } catch (error) {
    throw fromAwsError(error, { action: 'sqs:SendMessage', resource: queueUrl });
  }
}
