import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { isRunId } from '../../../lib/core/ids.ts';
import { parseRecord } from '../../../lib/run/record-schema.ts';
import { recordKey, type RunRecord } from '../../../lib/run/record.ts';
import { clientConfig, type Deployment } from './deploy.ts';
import type { AwsServer } from './ministack.ts';

const MESSAGE_COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

export interface ScheduleRequest {
  readonly name: string;
  /** `rate(1 minute)`, `cron(0 6 * * ? *)`, `at(2030-01-01T06:00:00)`. */
  readonly expression: string;
  readonly timezone?: string;
  /** What on-schedule gets; AWS fills in `<aws.scheduler.…>`. */
  readonly input: Readonly<Record<string, unknown>>;
}

export interface DeadMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What a user of the deployment does with it. */
export interface DeploymentClient {
  /** Answers the version id. */
  put(
    bucket: string,
    key: string,
    body: string | Uint8Array,
    metadata?: Readonly<Record<string, string>>,
  ): Promise<string>;
  text(bucket: string, key: string): Promise<string | undefined>;
  /** To the deployment's queue of that name; answers the message id. */
  send(queue: 'messages' | 'jar-uploads', body: string, attributes?: Readonly<Record<string, string>>): Promise<string>;
  schedule(request: ScheduleRequest): Promise<void>;
  record(runId: string): Promise<RunRecord | undefined>;
  records(): Promise<readonly RunRecord[]>;
  /** Takes the messages that are in the dead-letter queue. */
  takeDeadLetters(): Promise<readonly DeadMessage[]>;
  /** Messages in the deployment's queues, visible or not, as `<queue>: <number>`; none when all are empty. */
  waitingMessages(): Promise<readonly string[]>;
  close(): void;
}

export function createDeploymentClient(
  server: Pick<AwsServer, 'url' | 'environment'>,
  deployment: Deployment,
): DeploymentClient {
  const config = clientConfig(server);
  const s3 = new S3Client(config);
  const sqs = new SQSClient(config);
  const scheduler = new SchedulerClient(config);
  const { ledgerBucket } = deployment;
  const record = async (runId: string): Promise<RunRecord | undefined> => {
    if (!isRunId(runId)) return undefined;
    const text = await readText(s3, ledgerBucket, recordKey(runId));
    return text === undefined ? undefined : parseRecord(text);
  };
  return {
    async put(bucket, key, body, metadata = {}) {
      const put = new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, Metadata: { ...metadata } });
      return (await s3.send(put)).VersionId ?? '';
    },
    text: (bucket, key) => readText(s3, bucket, key),
    async send(queue, body, attributes = {}) {
      const name = `${deployment.stackName}-${queue}`;
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
      const values = Object.entries(attributes).map(([key, text]) => [key, { DataType: 'String', StringValue: text }]);
      const MessageAttributes = Object.fromEntries(values) as Record<string, { DataType: string; StringValue: string }>;
      const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body, MessageAttributes }));
      return sent.MessageId ?? '';
    },
    schedule: (request) => createSchedule(scheduler, deployment, request),
    record,
    async records() {
      const keys = await listKeys(s3, ledgerBucket, 'runs/');
      const ids = keys.flatMap((key) => /^runs\/([0-9a-f]{20})\/record\.json$/.exec(key)?.[1] ?? []);
      return (await Promise.all(ids.map((id) => record(id)))).filter((one) => one !== undefined);
    },
    takeDeadLetters: () => take(sqs, deployment.deadLetterQueueUrl),
    waitingMessages: () => countMessages(sqs, deployment.stackName),
    close() {
      for (const client of [s3, sqs, scheduler]) client.destroy();
    },
  };
}

async function readText(s3: S3Client, bucket: string, key: string): Promise<string | undefined> {
  try {
    return await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body?.transformToString();
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

async function listKeys(s3: S3Client, bucket: string, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }));
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}

async function createSchedule(
  scheduler: SchedulerClient,
  deployment: Deployment,
  request: ScheduleRequest,
): Promise<void> {
  const { name, expression, timezone, input } = request;
  await scheduler.send(
    new CreateScheduleCommand({
      Name: name,
      GroupName: deployment.scheduleGroupName,
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: timezone,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Arn: deployment.scheduleTargetArn, RoleArn: deployment.scheduleRoleArn, Input: JSON.stringify(input) },
    }),
  );
}

async function countMessages(sqs: SQSClient, prefix: string): Promise<string[]> {
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix }));
  const counts = await Promise.all(
    QueueUrls.map(async (QueueUrl) => {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...MESSAGE_COUNTS] }),
      );
      const counts = MESSAGE_COUNTS.map((count) => Number(Attributes[count] ?? 0));
      return { name: QueueUrl.split('/').at(-1) ?? QueueUrl, number: counts.reduce((sum, count) => sum + count, 0) };
    }),
  );
  return counts.filter(({ number }) => number > 0).map(({ name, number }) => `${name}: ${number}`);
}

async function take(sqs: SQSClient, QueueUrl: string): Promise<DeadMessage[]> {
  const want = { MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: ['All'] };
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, ...want }));
  for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return Messages.map(({ Body = '', MessageAttributes = {} }) => ({
    body: Body,
    attributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { StringValue = '' }]) => [name, StringValue]),
    ),
  }));
}
