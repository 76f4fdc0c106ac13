import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message,
} from '@aws-sdk/client-sqs';
import { lifecycleEventSchema, type LifecycleEvent } from '../../../lib/outcome/schema.ts';
import { clientConfig } from './deploy.ts';
import type { AwsServer } from './ministack.ts';

/** One lifecycle event as it came out of the subscriber's queue. */
export interface Delivery {
  readonly event: LifecycleEvent;
  /** The EventBridge envelope. */
  readonly envelope: unknown;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/** A subscriber as anyone would write it: a rule on the bus, a queue as its target, a consumer of the queue. */
export interface Subscriber {
  readonly queueUrl: string;
  /** Everything that came so far, in order of arrival. */
  readonly deliveries: readonly Delivery[];
  /** The first delivery, past or future, that fits. @throws Error when there is none in time. */
  next(fits: (event: LifecycleEvent) => boolean, timeoutMs: number): Promise<Delivery>;
  stop(): Promise<void>;
}

interface Waiter {
  readonly look: () => boolean;
  readonly fail: (error: Error) => void;
}

export async function subscribe(server: AwsServer, bus: string, name: string): Promise<Subscriber> {
  const sqs = new SQSClient(clientConfig(server));
  const queueUrl = await connectQueue(server, sqs, bus, name);
  const deliveries: Delivery[] = [];
  const waiters = new Set<Waiter>();
  const abort = new AbortController();
  const consuming = consume(sqs, queueUrl, abort.signal, (delivery) => {
    deliveries.push(delivery);
    for (const waiter of waiters) waiter.look();
  }).catch((error: unknown) => {
    if (abort.signal.aborted) return;
    for (const waiter of waiters) waiter.fail(error instanceof Error ? error : new Error(String(error)));
  });
  return {
    queueUrl,
    deliveries,
    next: (fits, timeoutMs) => waitFor(deliveries, waiters, fits, timeoutMs),
    async stop() {
      abort.abort();
      await consuming;
      sqs.destroy();
    },
  };
}

function waitFor(
  deliveries: readonly Delivery[],
  waiters: Set<Waiter>,
  fits: (event: LifecycleEvent) => boolean,
  timeoutMs: number,
): Promise<Delivery> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): true => {
      clearTimeout(timer);
      waiters.delete(waiter);
      act();
      return true;
    };
    const waiter: Waiter = {
      look: () => {
        const found = deliveries.find(({ event }) => fits(event));
        return found !== undefined && settle(() => resolve(found));
      },
      fail: (error) => settle(() => reject(error)),
    };
    const seen = (): string => deliveries.map(({ event }) => `${event.type} ${event.subject}`).join(', ') || 'none';
    const timer = setTimeout(
      () => waiter.fail(new Error(`no such event in ${timeoutMs} ms; seen: ${seen()}`)),
      timeoutMs,
    );
    waiters.add(waiter);
    waiter.look();
  });
}

async function connectQueue(server: AwsServer, sqs: SQSClient, bus: string, name: string): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  const events = new EventBridgeClient(clientConfig(server));
  const rule = { Name: name, EventBusName: bus };
  await events.send(new PutRuleCommand({ ...rule, EventPattern: JSON.stringify({ source: ['flink-dispatch'] }) }));
  const target = { Id: name, Arn: Attributes?.['QueueArn'] ?? '' };
  await events.send(new PutTargetsCommand({ Rule: name, EventBusName: bus, Targets: [target] }));
  events.destroy();
  return QueueUrl;
}

async function consume(
  sqs: SQSClient,
  queueUrl: string,
  signal: AbortSignal,
  take: (one: Delivery) => void,
): Promise<void> {
  while (!signal.aborted) {
    const receive = new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 });
    const { Messages = [] } = await sqs.send(receive, { abortSignal: signal });
    for (const delivery of Messages.map(parse)) if (delivery !== undefined) take(delivery);
    if (Messages.length > 0)
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries(Messages) }));
  }
}

/** Of a run; those of deployments have a form of their own. */
function parse(message: Message): Delivery | undefined {
  const envelope = JSON.parse(message.Body ?? '') as { readonly detail?: { readonly type?: string } };
  if (envelope.detail?.type?.startsWith('io.flink-dispatch.deployment.') === true) return undefined;
  return { event: lifecycleEventSchema.parse(envelope.detail), envelope, receivedAt: Date.now() };
}

function entries(messages: readonly Message[]): { Id: string; ReceiptHandle: string }[] {
  return messages.map(({ ReceiptHandle = '' }, index) => ({ Id: String(index), ReceiptHandle }));
}
