import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { CONFIG_KEY } from '../../lib/install/stored-config.ts';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import { parseRecord } from '../../lib/run/record-schema.ts';
import type { RunRecord } from '../../lib/run/record.ts';

export const RUNS = 'https://sqs.eu-central-1.amazonaws.com/111122223333/runs';
export const DEAD_LETTERS = 'https://sqs.eu-central-1.amazonaws.com/111122223333/dead-letters';

const s3 = mockClient(S3Client);
const sqs = mockClient(SQSClient);
const eventBridge = mockClient(EventBridgeClient);

interface Stored {
  readonly bytes: Uint8Array;
  readonly eTag: string;
  readonly metadata: Record<string, string>;
}

/** Objects by `bucket/key`, as the mocked S3 has them. */
const objects = new Map<string, Stored>();

interface S3Input {
  readonly Bucket?: string;
  readonly Key?: string;
}

const pathOf = ({ Bucket, Key }: S3Input): string => `${Bucket ?? ''}/${Key ?? ''}`;

function failure(name: string, status: number): S3ServiceException {
  return new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode: status }, message: name });
}

export function putObject(path: string, content: string | Uint8Array, metadata: Record<string, string> = {}): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  objects.set(path, { bytes, eTag: `"${createHash('md5').update(bytes).digest('hex')}"`, metadata });
}

/** Undefined for what is not there. */
export function objectText(path: string): string | undefined {
  const found = objects.get(path);
  return found && Buffer.from(found.bytes).toString('utf8');
}

export function removeObject(path: string): void {
  objects.delete(path);
}

export function eTagOf(content: Uint8Array): string {
  return createHash('md5').update(content).digest('hex');
}

function stored(input: S3Input & { readonly IfMatch?: string | undefined }): Stored {
  const found = objects.get(pathOf(input));
  if (found === undefined) throw failure('NoSuchKey', 404);
  if (input.IfMatch !== undefined && input.IfMatch !== found.eTag) throw failure('PreconditionFailed', 412);
  return found;
}

function slice(bytes: Uint8Array, range: string | undefined): Uint8Array {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (range === undefined) return bytes;
  return from === '' ? bytes.subarray(-Number(to)) : bytes.subarray(Number(from), Number(to) + 1);
}

/** Of `setEnvironment`. */
let dispatchConfig: object = {};

/** Other files have clients of their own in the same worker. */
export function restoreAws(): void {
  for (const mock of [s3, sqs, eventBridge]) mock.restore();
}

/** The AWS of one test: nothing in it but the configuration, and what the test puts there. */
export function resetAws(): void {
  objects.clear();
  putObject(`ledger/${CONFIG_KEY}`, JSON.stringify(dispatchConfig));
  for (const mock of [s3, sqs, eventBridge]) mock.reset();
  sqs.on(SendMessageCommand).resolves({ MessageId: 'm' });
  eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
  s3.on(HeadObjectCommand).callsFake((input: S3Input) => {
    const { bytes, eTag, metadata } = stored(input);
    return { ContentLength: bytes.length, ETag: eTag, Metadata: metadata };
  });
  s3.on(GetObjectCommand).callsFake((input: S3Input & { Range?: string; IfMatch?: string; IfNoneMatch?: string }) => {
    const { bytes, eTag, metadata } = stored(input);
    if (input.IfNoneMatch === eTag) throw failure('NotModified', 304);
    const part = slice(bytes, input.Range);
    const body = {
      transformToString: () => Promise.resolve(Buffer.from(part).toString('utf8')),
      transformToByteArray: () => Promise.resolve(part),
    };
    const range = `bytes 0-${part.length - 1}/${bytes.length}`;
    return { Body: body, ETag: eTag, Metadata: metadata, ContentLength: part.length, ContentRange: range };
  });
  s3.on(PutObjectCommand).callsFake(
    (input: S3Input & { Body: string; Metadata?: Record<string, string>; IfNoneMatch?: string; IfMatch?: string }) => {
      const known = objects.get(pathOf(input));
      const refused =
        input.IfNoneMatch === '*' ? known !== undefined : input.IfMatch !== undefined && input.IfMatch !== known?.eTag;
      if (refused) throw failure('PreconditionFailed', 412);
      putObject(pathOf(input), input.Body, input.Metadata);
      return { ETag: objects.get(pathOf(input))?.eTag };
    },
  );
  s3.on(CopyObjectCommand).callsFake((input: S3Input & { CopySource: string; CopySourceIfMatch?: string }) => {
    const [Bucket = '', ...key] = input.CopySource.replace(/\?versionId=.*$/, '')
      .split('/')
      .map(decodeURIComponent);
    const { bytes } = stored({ Bucket, Key: key.join('/'), IfMatch: input.CopySourceIfMatch });
    putObject(pathOf(input), bytes);
    return { CopyObjectResult: { ChecksumSHA256: createHash('sha256').update(bytes).digest('base64') } };
  });
  s3.on(DeleteObjectCommand).callsFake((input: S3Input) => {
    objects.delete(pathOf(input));
    return {};
  });
  s3.on(ListObjectsV2Command).callsFake((input: { Bucket: string; Prefix: string; StartAfter?: string }) => {
    const keys = [...objects.keys()].flatMap((path) =>
      path.startsWith(`${input.Bucket}/${input.Prefix}`) ? [path.slice(input.Bucket.length + 1)] : [],
    );
    return {
      Contents: keys
        .filter((key) => key > (input.StartAfter ?? ''))
        .sort()
        .map((Key) => ({ Key })),
    };
  });
}

/** The next write to the bucket gets no answer. */
export function failPut(key: RegExp): void {
  s3.on(PutObjectCommand).callsFake((input: S3Input) => {
    if (key.test(input.Key ?? '')) throw failure('InternalError', 500);
    return { ETag: '"e"' };
  });
}

export interface Sent {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

export function sentTo(queueUrl: string): readonly Sent[] {
  return sqs
    .commandCalls(SendMessageCommand)
    .map(({ args }) => args[0].input)
    .filter(({ QueueUrl }) => QueueUrl === queueUrl)
    .map(({ MessageBody = '', MessageAttributes = {} }) => ({
      body: MessageBody,
      attributes: Object.fromEntries(
        Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
      ),
    }));
}

export function publishedEvents(): readonly LifecycleEvent[] {
  const entries = eventBridge.commandCalls(PutEventsCommand).flatMap(({ args }) => args[0].input.Entries ?? []);
  return entries.map(({ Detail = '' }) => JSON.parse(Detail) as LifecycleEvent);
}

export function records(): readonly RunRecord[] {
  const found = [...objects].filter(([path]) => path.endsWith('/record.json'));
  return found.map(([, { bytes }]) => parseRecord(Buffer.from(bytes).toString('utf8')));
}

/** Of all objects but the configuration. */
export function objectPaths(): readonly string[] {
  return [...objects.keys()].filter((path) => path !== `ledger/${CONFIG_KEY}`);
}

/** A Lambda context with ten minutes left. */
export const CONTEXT = {
  getRemainingTimeInMillis: () => 600_000,
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:under-test',
} as Context;

/**
 * The environment as serverless.yml sets it; `api` is the address of the target's API server, `more` takes the place of what
 * the dispatch configuration says. Answers what puts back the environment and the clients as they were, for the test files
 * that follow.
 */
export function setEnvironment(api: string, more: Readonly<Record<string, unknown>> = {}): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'functions-test-'));
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: api } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  dispatchConfig = {
    targets: { default: { namespace: 'flink', access: { kind: 'kubeconfig', path: join(folder, 'kubeconfig') } } },
    defaults: { image: 'flink:2.3.0', flinkVersion: 'v2_3', serviceAccount: 'flink' },
    allow: { images: ['flink:*'], serviceAccounts: ['flink'], jarBuckets: ['jars'], options: { allow: ['*'] } },
    ...more,
  };
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  resetAws();
  const before = { ...process.env };
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    POWERTOOLS_METRICS_DISABLED: 'true',
    STAGE: 'test',
    STACK_NAME: 'flink-dispatch-test',
    LEDGER_BUCKET: 'ledger',
    RUN_QUEUE_URL: RUNS,
    DEAD_LETTER_QUEUE_URL: DEAD_LETTERS,
    EVENT_BUS_NAME: 'bus',
    EVENT_QUEUE_URL: '',
    EVENT_TOPIC_ARN: '',
  });
  return () => {
    for (const name of Object.keys(process.env)) if (before[name] === undefined) delete process.env[name];
    Object.assign(process.env, before);
    restoreAws();
    rmSync(folder, { recursive: true });
  };
}

export function eventFixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/events/${name}.json`, import.meta.url), 'utf8'));
}
