import { SendMessageCommand, SQSClient, SQSServiceException } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { deploymentIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { REASONS } from '../../../lib/core/reasons.ts';
import {
  isOfLaterVersion,
  isRunMessage,
  parseQueueMessage,
  parseRunMessage,
} from '../../../lib/run/store/run-queue.ts';
import { createSqsDeadLetters } from '../../../lib/run/store/sqs-dead-letters.ts';
import { createSqsRunQueue } from '../../../lib/run/store/sqs-run-queue.ts';

const mock = mockClient(SQSClient);
afterAll(() => mock.restore());
const queue = { sqs: new SQSClient({ region: 'us-east-1' }), queueUrl: 'https://sqs.test/1/runs' };
const message = { version: 1, runId: runIdFor('a'), step: 3 } as const;

beforeEach(() => {
  mock.reset();
  mock.on(SendMessageCommand).resolves({ MessageId: 'm' });
});

function sent(): SendMessageCommand['input'] | undefined {
  return mock.commandCalls(SendMessageCommand).at(-1)?.args[0].input;
}

it('knows a run message of a later deployment', () => {
  expect(isOfLaterVersion(JSON.stringify({ version: 2, run: 'x' }))).toBe(true);
  expect(isOfLaterVersion(JSON.stringify(message))).toBe(false);
  for (const body of ['{"version":"2"}', '[]', '{']) expect(isOfLaterVersion(body)).toBe(false);
});

describe('the run queue on SQS', () => {
  it.each([
    [0, 0],
    [-5, 0],
    [0.2, 1],
    [30, 30],
    [30.5, 31],
    [5000, 900],
    [Number.NaN, 0],
  ])('takes a delay of %d seconds as %d', async (wanted, delay) => {
    await createSqsRunQueue(queue).send(message, wanted);
    expect(sent()).toMatchObject({ QueueUrl: queue.queueUrl, DelaySeconds: delay });
    expect(parseRunMessage(sent()?.MessageBody ?? '')).toEqual(message);
  });

  it.each([
    ['ThrottlingException', 400, 'StorageUnavailable'],
    ['InternalError', 500, 'StorageUnavailable'],
    ['AccessDeniedException', 400, 'PermissionDenied'],
    ['QueueDoesNotExist', 400, 'Internal'],
  ])('%s is %s %s', async (name, status, reason) => {
    const error = new SQSServiceException({ name, $fault: 'client', $metadata: { httpStatusCode: status } });
    mock.on(SendMessageCommand).rejects(error);
    await expect(createSqsRunQueue(queue).send(message, 0)).rejects.toMatchObject({ reason });
    await expect(createSqsRunQueue(queue).send(message, 0)).rejects.toThrow(queue.queueUrl);
  });
});

describe('parseRunMessage', () => {
  it.each([
    ['no json', 'body'],
    ['[]', 'body'],
    ['{"version":2,"runId":"0123456789abcdef0123","step":1}', 'version'],
    ['{"version":1,"runId":"x","step":1}', 'runId'],
    ['{"version":1,"runId":"0123456789abcdef0123","step":"1"}', 'step'],
  ])('refuses %s naming the field', (body, field) => {
    expect(() => parseRunMessage(body)).toThrow(expect.objectContaining({ reason: 'MalformedRequest', field }));
  });
});

describe('a message of the run queue', () => {
  const deployment = deploymentIdFor({ tenant: undefined, target: 't', namespace: 'n', name: 'stream' });

  it('asks for a step of a run, or for a look at a stream', async () => {
    await createSqsRunQueue(queue).send({ version: 1, deployment }, 0);
    const asked = parseQueueMessage(sent()?.MessageBody ?? '');
    expect(asked).toEqual({ version: 1, deployment });
    expect(isRunMessage(asked)).toBe(false);
    expect(isRunMessage(parseQueueMessage(JSON.stringify(message)))).toBe(true);
  });

  it.each([
    ['{"version":1,"deployment":"x"}', 'deployment'],
    [`{"version":2,"deployment":"${deployment}"}`, 'version'],
    ['{"version":1}', 'runId'],
  ])('is refused as %s naming the field', (body, field) => {
    expect(() => parseQueueMessage(body)).toThrow(expect.objectContaining({ reason: 'MalformedRequest', field }));
  });
});

describe('dead letters on SQS', () => {
  const put = (body: string): Promise<void> =>
    createSqsDeadLetters(queue).put({
      body,
      source: 'arn:q',
      reason: 'InvalidSpec',
      message: 'no such key\u0000',
      field: 'job.x',
    });

  it('keep the body and say why', async () => {
    await put('{"a":1}');
    expect(sent()?.MessageBody).toBe('{"a":1}');
    const attributes = Object.entries(sent()?.MessageAttributes ?? {});
    expect(Object.fromEntries(attributes.map(([name, { StringValue }]) => [name, StringValue]))).toEqual({
      reason: 'InvalidSpec',
      message: 'no such key\uFFFD',
      field: 'job.x',
      todo: REASONS.InvalidSpec.todo,
      source: 'arn:q',
    });
  });

  it('cut what no queue takes, between characters, and say so', async () => {
    await put('é€😀'.repeat(100_000));
    const body = sent()?.MessageBody ?? '';
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(240 * 1024);
    expect(body).not.toContain('\uFFFD');
    expect(body.endsWith('… (truncated)')).toBe(true);
    expect(sent()?.MessageAttributes?.['truncated']?.StringValue).toBe('true');
  });

  it('are never empty, nor is a word of why', async () => {
    await put('');
    expect(sent()?.MessageBody).toBe(' ');
    await createSqsDeadLetters(queue).put({ body: 'x', source: 'arn:q', reason: 'Internal', message: '', field: '' });
    expect(Object.keys(sent()?.MessageAttributes ?? {})).toEqual(['reason', 'todo', 'source']);
  });
});
