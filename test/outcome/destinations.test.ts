import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { buildEvent } from '../../lib/outcome/event.ts';
import { createEventBridgeDestination } from '../../lib/outcome/eventbridge-destination.ts';
import { openDestination } from '../../lib/outcome/open-destination.ts';
import { createPublisher } from '../../lib/outcome/publisher.ts';
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
    expect(JSON.parse(entry?.Detail ?? '')).toEqual(event);
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
    expect(() => openDestination('mailto:a@b', clients)).toThrow(
      expect.objectContaining({ reason: 'InvalidSpec', field: 'notify' }),
    );
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
});
