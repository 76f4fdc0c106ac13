import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { fromAwsError } from '../core/aws-error.ts';
import { toWireJson } from '../core/wire-text.ts';
import { attributesOf, fifoOf } from './attributes.ts';
import type { Destination } from './publisher.ts';

/** The message is the whole CloudEvent; filter policies match `type`, `state`, `name` and `reason`. */
export function createSnsDestination({
  sns,
  topicArn,
}: {
  readonly sns: SNSClient;
  readonly topicArn: string;
}): Destination {
  return {
    name: `SNS topic ${topicArn}`,
    async deliver(event) {
      const input = {
        TopicArn: topicArn,
        Message: toWireJson(event),
        MessageAttributes: attributesOf(event),
        ...fifoOf(event, topicArn),
      };
      try {
        await sns.send(new PublishCommand(input));
      } catch (error) {
        throw fromAwsError(error, { action: 'sns:Publish', resource: topicArn });
      }
    },
  };
}
