import { randomUUID } from 'node:crypto';
import { CreateEventBusCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { buildEvent } from '../../lib/outcome/event.ts';
import { createEventBridgeDestination } from '../../lib/outcome/eventbridge-destination.ts';
import { openDestination } from '../../lib/outcome/open-destination.ts';
import type { Destination } from '../../lib/outcome/publisher.ts';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import { createSqsDestination } from '../../lib/outcome/sqs-destination.ts';
import { FakeDestination } from '../fakes/publisher.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { clientsOf, forEachAwsServer, freshQueue, type AwsServer } from './aws-server.ts';

interface Subject {
  readonly destination: Destination;
  /** Events that arrived since the last call: `count` of them, or fewer when no more come. */
  readonly received: (count: number) => Promise<unknown[]>;
  readonly dropsRepeats: boolean;
}

const events = eventsOf();

describeDestination('fake', () => {
  const destination = new FakeDestination('fake');
  return Promise.resolve({
    destination,
    received: () => Promise.resolve(destination.delivered.splice(0)),
    dropsRepeats: false,
  });
});

forEachAwsServer((server) => {
  describeDestination(`SQS of ${server.name}`, async () => {
    const queueUrl = await freshQueue(server);
    const destination = createSqsDestination({ sqs: clientsOf(server).sqs, queueUrl });
    return { destination, received: (count) => receive(server, queueUrl, count), dropsRepeats: false };
  });

  describeDestination(`FIFO SQS of ${server.name}`, async () => {
    const queueUrl = await freshQueue(server, true);
    const destination = createSqsDestination({ sqs: clientsOf(server).sqs, queueUrl });
    return { destination, received: (count) => receive(server, queueUrl, count), dropsRepeats: true };
  });

  describeDestination(`SNS of ${server.name}, by a filter policy of its attributes`, async () => {
    const queueUrl = await freshQueue(server);
    const topicArn = await topicTo(server, queueUrl);
    const { sns, sqs } = clientsOf(server);
    const destination = openDestination(topicArn, { sns: () => sns, sqs: () => sqs });
    return { destination, received: (count) => receive(server, queueUrl, count), dropsRepeats: false };
  });

  describeDestination(`EventBridge of ${server.name}, by a rule on its detail`, async () => {
    const queueUrl = await freshQueue(server);
    const bus = await busTo(server, queueUrl);
    const destination = createEventBridgeDestination({ eventBridge: clientsOf(server).eventBridge, bus });
    const received = async (count: number): Promise<unknown[]> => {
      const envelopes = (await receive(server, queueUrl, count)) as { detail: unknown }[];
      return envelopes.map(({ detail }) => detail);
    };
    return { destination, received, dropsRepeats: false };
  });
});

function describeDestination(name: string, make: () => Promise<Subject>): void {
  describe(`destination: ${name}`, () => {
    it('delivers whole events, and takes the same again', async () => {
      const { destination, received, dropsRepeats } = await make();
      for (const event of events) await destination.deliver(event);
      expect(byId(await received(events.length))).toEqual(byId(events));
      const last = events.at(-1);
      if (last === undefined) throw new Error('no event');
      await destination.deliver(last);
      expect(await received(1)).toEqual(dropsRepeats ? [] : [last]);
    });
  });
}

function eventsOf(): LifecycleEvent[] {
  const record = sampleRecord();
  return record.events.map((event) => buildEvent(record, event, { source: '/flink-dispatch/test', ledgerBucket: 'l' }));
}

function byId(all: readonly unknown[]): unknown[] {
  return [...(all as LifecycleEvent[])].sort((a, b) => a.id.localeCompare(b.id));
}

/** Deletes nothing: moto forgets deduplication ids with their messages. */
async function receive(server: AwsServer, queueUrl: string, count: number): Promise<unknown[]> {
  const { sqs } = clientsOf(server);
  const bodies: unknown[] = [];
  while (bodies.length < count) {
    const input = { QueueUrl: queueUrl, WaitTimeSeconds: 2, MaxNumberOfMessages: 10 };
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(input));
    if (Messages.length === 0) break;
    bodies.push(...Messages.map(({ Body = '' }): unknown => JSON.parse(Body)));
  }
  return bodies;
}

async function arnOf(server: AwsServer, queueUrl: string): Promise<string> {
  const { sqs } = clientsOf(server);
  const input = { QueueUrl: queueUrl, AttributeNames: ['QueueArn' as const] };
  const arn = (await sqs.send(new GetQueueAttributesCommand(input))).Attributes?.['QueueArn'] ?? '';
  const statement = { Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: arn };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { Policy } }));
  return arn;
}

async function topicTo(server: AwsServer, queueUrl: string): Promise<string> {
  const { sns } = clientsOf(server);
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: `contract-${randomUUID()}` }));
  const states = ['accepted', 'started', 'attempt-failed', 'failed'];
  const Attributes = {
    RawMessageDelivery: 'true',
    FilterPolicy: JSON.stringify({ state: states, name: ['word-count'] }),
  };
  const Endpoint = await arnOf(server, queueUrl);
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes }));
  return TopicArn;
}

async function busTo(server: AwsServer, queueUrl: string): Promise<string> {
  const { eventBridge } = clientsOf(server);
  const bus = `contract-${randomUUID()}`;
  await eventBridge.send(new CreateEventBusCommand({ Name: bus }));
  const pattern = {
    source: ['flink-dispatch'],
    'detail-type': [{ prefix: 'Flink Run ' }],
    detail: { data: { name: ['word-count'] } },
  };
  await eventBridge.send(
    new PutRuleCommand({ Name: 'all', EventBusName: bus, EventPattern: JSON.stringify(pattern), State: 'ENABLED' }),
  );
  const targets = [{ Id: 'queue', Arn: await arnOf(server, queueUrl) }];
  await eventBridge.send(new PutTargetsCommand({ Rule: 'all', EventBusName: bus, Targets: targets }));
  return bus;
}
