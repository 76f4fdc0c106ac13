import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { DispatchError } from '../core/errors.ts';
import type { Destination } from './publisher.ts';
import { createSnsDestination } from './sns-destination.ts';
import { createSqsDestination } from './sqs-destination.ts';

const TOPIC_ARN = /^arn:aws[a-z-]*:sns:/;

/**
 * The destination behind an address of `notify`: an SNS topic's ARN or an SQS queue's URL. Clients are made when first
 * needed.
 * @throws DispatchError `InvalidSpec` naming `notify` for anything else.
 */
export function openDestination(
  address: string,
  clients: { readonly sqs: () => SQSClient; readonly sns: () => SNSClient },
): Destination {
  if (TOPIC_ARN.test(address)) return createSnsDestination({ sns: clients.sns(), topicArn: address });
  if (/^https?:\/\//.test(address)) return createSqsDestination({ sqs: clients.sqs(), queueUrl: address });
  throw new DispatchError('InvalidSpec', `notify: '${address}' is neither an SNS topic's ARN nor an SQS queue's URL`, {
    field: 'notify',
  });
}
