import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { buildEvent } from '../../lib/outcome/event.ts';
import { createEventBridgeDestination } from '../../lib/outcome/eventbridge-destination.ts';
import { openDestination } from '../../lib/outcome/open-destination.ts';
import { createPublisher, type Destination } from '../../lib/outcome/publisher.ts';
import { FakeDestination } from '../fakes/publisher.ts';
import { sampleRecord } from '../fixtures/records/load.ts';

const record = sampleRecord();
const last = record.events.at(-1);
if (last === undefined) throw new Error('no event');
const event = buildEvent(record, last, { source: '/flink-dispatch/test', ledgerBucket: 'ledger' });

const eventBridge = mockClient(EventBridgeClient);
const sns = mockClient(SNSClient);
const sqs = mockClient(SQSClient);
afterAll(() => {
  for (const mock of [eventBridge, sns, sqs]) mock.restore();
});
const config = { region: 'us-east-1' };
const clients = { sqs: () => new SQSClient(config), sns: () => new SNSClient(config) };
const bus = createEventBridgeDestination({ eventBridge: new EventBridgeClient(config), bus: 'runs' });

beforeEach(() => {
  for (const mock of [eventBridge, sns, sqs]) mock.reset();
});

describe('EventBridge', () => {
  it('gets the event as detail, with source and detail-type to match on', async () => {
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'x' }] });
    await bus.deliver(event);
    const [entry] = eventBridge.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries ?? [];
    expect(entry).toMatchObject({ EventBusName: 'runs', Source: 'flink-dispatch', DetailType: 'Flink Run Completed' });
    expect(entry?.Time).toEqual(new Date(event.time));
    expect(entry?.Resources).toEqual([]);
    expect(JSON.parse(entry?.Detail ?? '')).toEqual(event);
  });

  it.each([
    ['accepted', 'Flink Run Accepted'],
    ['started', 'Flink Run Started'],
    ['attempt-failed', 'Flink Run Attempt Failed'],
    ['completed', 'Flink Run Completed'],
  ] as const)('calls an event of type %s %s', async (type, detailType) => {
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'x' }] });
    await bus.deliver({ ...event, type: `io.flink-dispatch.run.${type}.v1` });
    const [entry] = eventBridge.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries ?? [];
    expect(entry?.DetailType).toBe(detailType);
  });

  it.each([
    ['InternalFailure', 'StorageUnavailable'],
    ['ThrottlingException', 'StorageUnavailable'],
    ['NotAuthorizedForSourceException', 'PermissionDenied'],
    ['MalformedDetail', 'Internal'],
  ])('takes a refused entry (%s) for a failure: %s', async (ErrorCode, reason) => {
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 1, Entries: [{ ErrorCode, ErrorMessage: 'm' }] });
    await expect(bus.deliver(event)).rejects.toMatchObject({ reason });
  });
});

describe('EventBridge that refuses', () => {
  it('an entry of which it says no more is passing, and its message says so', async () => {
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 1 });
    const message = 'events:PutEvents on runs refused the event: InternalFailure: no message';
    await expect(bus.deliver(event)).rejects.toMatchObject({ reason: 'StorageUnavailable', message });
  });

  it('an entry says why', async () => {
    const Entries = [{ ErrorCode: 'NotInternal', ErrorMessage: 'too old' }];
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 1, Entries });
    const message = 'events:PutEvents on runs refused the event: NotInternal: too old';
    await expect(bus.deliver(event)).rejects.toMatchObject({ reason: 'Internal', message });
  });
});

describe('a service that refuses', () => {
  const denied = Object.assign(new Error('no'), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 403 } });

  it.each([
    ['EventBridge bus', 'events:PutEvents on', 'runs'],
    ['SNS topic', 'sns:Publish on', 'arn:aws:sns:eu-west-1:1:jobs'],
    ['SQS queue', 'sqs:SendMessage on', 'https://sqs.eu-west-1.amazonaws.com/1/jobs'],
    ['SQS queue', 'sqs:SendMessage on', 'http://localhost:9324/1/jobs'],
  ])('%s: the missing right is named, %s %s', async (name, call, address) => {
    eventBridge.on(PutEventsCommand).rejects(denied);
    sns.on(PublishCommand).rejects(denied);
    sqs.on(SendMessageCommand).rejects(denied);
    const destination = address === 'runs' ? bus : openDestination(address, clients);
    expect(destination.name).toBe(`${name} ${address}`);
    const message = expect.stringContaining(`needs ${call} ${address} `) as string;
    await expect(destination.deliver(event)).rejects.toMatchObject({ reason: 'PermissionDenied', message });
  });
});

describe('attributes', () => {
  it('have no empty text, and long ones end in a mark', async () => {
    const queue = openDestination('https://sqs.eu-west-1.amazonaws.com/1/jobs', clients);
    const attributesOf = async (name: string) => {
      sqs.reset();
      await queue.deliver({ ...event, data: { ...event.data, name } });
      return sqs.commandCalls(SendMessageCommand)[0]?.args[0].input.MessageAttributes;
    };
    expect(await attributesOf('')).not.toHaveProperty('name');
    expect((await attributesOf('n'.repeat(300)))?.['name']?.StringValue).toBe(`${'n'.repeat(253)}…`);
  });
});

describe('SNS and SQS', () => {
  const attributes = {
    type: { DataType: 'String', StringValue: 'io.flink-dispatch.run.completed.v1' },
    state: { DataType: 'String', StringValue: 'failed' },
    name: { DataType: 'String', StringValue: 'word-count' },
    reason: { DataType: 'String', StringValue: 'JobFailed' },
  };
  const order = { MessageGroupId: event.subject, MessageDeduplicationId: event.id };

  it.each([
    ['arn:aws:sns:eu-west-1:1:jobs', {}],
    ['arn:aws-cn:sns:cn-north-1:1:jobs.fifo', order],
  ])('%s', async (TopicArn, more) => {
    await openDestination(TopicArn, clients).deliver(event);
    const input = sns.commandCalls(PublishCommand)[0]?.args[0].input;
    expect(input).toEqual({ TopicArn, Message: JSON.stringify(event), MessageAttributes: attributes, ...more });
  });

  it.each([
    ['https://sqs.eu-west-1.amazonaws.com/1/jobs', {}],
    ['https://sqs.eu-west-1.amazonaws.com/1/jobs.fifo', order],
  ])('%s', async (QueueUrl, more) => {
    await openDestination(QueueUrl, clients).deliver(event);
    const input = sqs.commandCalls(SendMessageCommand)[0]?.args[0].input;
    expect(input).toEqual({ QueueUrl, MessageBody: JSON.stringify(event), MessageAttributes: attributes, ...more });
  });

  it('nothing else is an address', () => {
    for (const address of ['mailto:a@b', 'ftp://x/https://sqs', 'x arn:aws:sns:eu:1:t', 'arn:aws1:sns:eu:1:t']) {
      const message = `notify: '${address}' is neither an SNS topic's ARN nor an SQS queue's URL`;
      expect(() => openDestination(address, clients)).toThrow(
        expect.objectContaining({ reason: 'InvalidSpec', field: 'notify', message }),
      );
    }
  });
});

describe('createPublisher', () => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => new FakeDestination(name)) as [
    FakeDestination,
    FakeDestination,
    FakeDestination,
  ];
  const open = (address: string): FakeDestination => {
    if (address !== 'three') throw new DispatchError('InvalidSpec', `no ${address}`);
    return three;
  };
  const publisher = createPublisher({ destinations: [one, two], open });

  beforeEach(() => {
    for (const destination of [one, two, three]) destination.delivered.length = 0;
  });

  it('reaches the destinations of the deployment and of the run, each once', async () => {
    await publisher.publish(event, ['three', 'three']);
    expect([one, two, three].map(({ delivered }) => delivered)).toEqual([[event], [event], [event]]);
  });

  it('tries all when one fails, and fails then', async () => {
    one.faults.plan('deliver', 'before');
    await expect(publisher.publish(event, ['three', 'four'])).rejects.toMatchObject({
      reason: 'StorageUnavailable',
      retryable: true,
      message: expect.stringMatching(/0123\.4 did not reach 2 destination\(s\): one: .*; four: no four/) as string,
    });
    expect([one, two, three].map(({ delivered }) => delivered.length)).toEqual([0, 1, 1]);
  });

  it('is not retryable when no destination is', async () => {
    await expect(publisher.publish(event, ['four'])).rejects.toMatchObject({ reason: 'InvalidSpec', retryable: false });
  });

  it('is led by what can be tried again, whatever failed first', async () => {
    const broken = new DispatchError('Internal', 'broken');
    const passing = new DispatchError('StorageUnavailable', 'away');
    const failing = (name: string, error: Error): Destination => ({ name, deliver: () => Promise.reject(error) });
    const all = [failing('a', new Error('odd')), failing('b', broken), failing('c', passing)];
    const publish = (...destinations: Destination[]) => createPublisher({ destinations, open }).publish(event, []);
    await expect(publish(...all)).rejects.toMatchObject({ reason: 'StorageUnavailable', cause: passing });
    await expect(publish(...all.slice(0, 2))).rejects.toMatchObject({ reason: 'Internal', cause: broken });
    const odd = { reason: 'Internal', cause: expect.objectContaining({ message: 'odd' }) as Error };
    await expect(publish(...all.slice(0, 1))).rejects.toMatchObject(odd);
  });
});
