import { DeleteMessageBatchCommand, ReceiveMessageCommand, type Message } from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import { deploymentEventSchema, type PublicDeploymentEvent } from '../../lib/outcome/deployment-schema.ts';
import { lifecycleEventSchema, type LifecycleEvent } from '../../lib/outcome/schema.ts';
import type { Deployment } from './deployment.ts';

export interface Delivery {
  readonly event: LifecycleEvent;
  /** As it came. */
  readonly text: string;
}

type Queues = Pick<Deployment, 'sqs' | 'queueUrl'>;

/** Every message of a queue, for as long as it is not aborted, through whatever happens to the server. */
export async function consume(
  { sqs, queueUrl }: Queues,
  queue: string,
  signal: AbortSignal,
  take: (message: Message) => void,
): Promise<void> {
  const QueueUrl = queueUrl(queue);
  const taken = new Set<string>();
  const pass = async (): Promise<void> => {
    const want = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: ['All'] };
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(want));
    for (const message of Messages) {
      // One whose removal was not answered comes once more: that is the queue's doing, not the product's.
      if (!taken.has(message.MessageId ?? '')) take(message);
      taken.add(message.MessageId ?? '');
    }
    if (Messages.length === 0) return;
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  };
  while (!signal.aborted) await pass().catch(() => sleep(200));
}

export interface DeploymentDelivery {
  readonly event: PublicDeploymentEvent;
  readonly text: string;
}

/** Of the subscriber's queue: the events of runs, and those of streams. */
export function deliveriesIn(messages: readonly Message[]): {
  readonly deliveries: readonly Delivery[];
  readonly ofStreams: readonly DeploymentDelivery[];
} {
  const details = messages.map(({ Body = '' }) => (JSON.parse(Body) as { readonly detail: { type: string } }).detail);
  const isOfStream = ({ type }: { readonly type: string }): boolean => type.startsWith('io.flink-dispatch.deployment.');
  return {
    deliveries: details
      .filter((detail) => !isOfStream(detail))
      .map((detail) => ({ event: lifecycleEventSchema.parse(detail), text: JSON.stringify(detail) })),
    ofStreams: details
      .filter(isOfStream)
      .map((detail) => ({ event: deploymentEventSchema.parse(detail), text: JSON.stringify(detail) })),
  };
}

/** A message that somebody has to look at. */
export interface Letter {
  readonly queue: string;
  readonly body: string;
  readonly reason: string | undefined;
}

export function letterIn(queue: string, { Body = '', MessageAttributes = {} }: Message): Letter {
  return { queue, body: Body, reason: MessageAttributes['reason']?.StringValue };
}
