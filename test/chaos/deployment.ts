import { readFile } from 'node:fs/promises';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { stringify } from 'yaml';
import { ACCOUNT, clientEnvironment, REGION } from '../../infra/local/aws/ministack.ts';
import { CONFIG_KEY } from '../../lib/install/stored-config.ts';
import { imageOf } from '../cluster/support/lab.ts';
import { bundleOf } from '../lambda/bundle.ts';
import { lambdaRuntime } from '../lambda/runtimes.ts';
import type { Faults } from './faults.ts';
import { LambdaFunction } from './functions.ts';
import type { Strikes } from './streams/strikes.ts';
import type { Server } from './servers.ts';
import { buildWitness } from './witness.ts';

export const FUNCTIONS = ['on-jar-upload', 'on-message', 'on-schedule', 'advance-run', 'sweep-runs'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export const QUEUES = [
  ...['jar-uploads', 'jar-uploads-failed', 'messages', 'messages-failed', 'runs', 'runs-failed'],
  ...['schedules-failed', 'dead-letters', 'subscriber'],
] as const;

/**
 * Seconds. Shorter than those of serverless.yml, and in the same proportion: a message stays invisible for at least as
 * long as its function may take. An advance keeps 20 s of its time as a reserve.
 */
const TIMEOUTS: Readonly<Record<FunctionName, number>> = {
  ...{ 'on-jar-upload': 10, 'on-message': 10, 'on-schedule': 10, 'advance-run': 30, 'sweep-runs': 40 },
};
const RECEIVES = 5;

export interface Deployment {
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly ledgerBucket: string;
  readonly jarBucket: string;
  readonly queueUrl: (name: string) => string;
  readonly queueArn: (name: string) => string;
  readonly functions: Readonly<Record<FunctionName, LambdaFunction>>;
  /** `s3://` URI of the witness for that Flink. */
  readonly jarOf: (version: string) => string;
  stop(): Promise<void>;
}

export interface DeploymentOptions {
  /** Gets bundles, jars and what the functions write. */
  readonly folder: string;
  readonly queues: Server;
  readonly storage: Server;
  readonly tenant: { readonly namespace: string; readonly kubeconfig: string };
  readonly versions: readonly string[];
  readonly faults: Faults;
  readonly strikes: Strikes;
}

const LEDGER = 'ledger';
const JARS = 'jars';
/** Where streams keep their state. */
export const STATE = 'state';
const BUS = 'runs';

/** What serverless.yml makes of AWS, and the functions as they are deployed, under AWS' runtime client. */
export async function deploy(options: DeploymentOptions): Promise<Deployment> {
  const { folder, queues, storage, versions } = options;
  const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'local' };
  const s3 = new S3Client({ endpoint: storage.url, region: REGION, credentials, forcePathStyle: true });
  const sqs = new SQSClient({ endpoint: queues.url, region: REGION, credentials });
  for (const Bucket of [LEDGER, JARS, STATE]) await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket: LEDGER, Key: CONFIG_KEY, Body: stringify(configOf(options.tenant)) }));
  const urls = await makeQueues(sqs);
  const events = new EventBridgeClient({ endpoint: queues.url, region: REGION, credentials });
  await subscribe(events);
  events.destroy();
  for (const version of versions) {
    const Body = await readFile(await buildWitness(version, folder));
    await s3.send(new PutObjectCommand({ Bucket: JARS, Key: `witness-${version}.jar`, Body }));
  }
  const functions = await makeFunctions(options, urls);
  return {
    ...{ s3, sqs, ledgerBucket: LEDGER, jarBucket: JARS, functions },
    queueUrl: (name) => urls.get(name) ?? '',
    queueArn,
    jarOf: (version) => `s3://${JARS}/witness-${version}.jar`,
    async stop() {
      for (const one of Object.values(functions)) await one.stop();
      s3.destroy();
      sqs.destroy();
    },
  };
}

function queueArn(name: string): string {
  return `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
}

async function makeQueues(sqs: SQSClient): Promise<ReadonlyMap<string, string>> {
  const readers = { 'jar-uploads': 'on-jar-upload', messages: 'on-message', runs: 'advance-run' } as const;
  const urls = new Map<string, string>();
  // A dead-letter queue is there before the queue that names it.
  for (const name of [...QUEUES].sort((a, b) => b.length - a.length)) {
    const reader = Object.entries(readers).find(([queue]) => queue === name)?.[1];
    const redrive = { deadLetterTargetArn: queueArn(`${name}-failed`), maxReceiveCount: RECEIVES };
    const Attributes =
      reader === undefined
        ? {}
        : { VisibilityTimeout: String(TIMEOUTS[reader]), RedrivePolicy: JSON.stringify(redrive) };
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
    urls.set(name, QueueUrl);
  }
  return urls;
}

/** As anyone would: a rule on the bus, with a queue as its target. */
async function subscribe(events: EventBridgeClient): Promise<void> {
  await events.send(new CreateEventBusCommand({ Name: BUS }));
  const rule = { Name: 'subscriber', EventBusName: BUS };
  await events.send(new PutRuleCommand({ ...rule, EventPattern: JSON.stringify({ source: ['flink-dispatch'] }) }));
  const target = { Id: 'subscriber', Arn: queueArn('subscriber') };
  await events.send(new PutTargetsCommand({ Rule: 'subscriber', EventBusName: BUS, Targets: [target] }));
}

async function makeFunctions(
  { folder, queues, storage, faults, strikes }: DeploymentOptions,
  urls: ReadonlyMap<string, string>,
): Promise<Record<FunctionName, LambdaFunction>> {
  const runtime = await lambdaRuntime('nodejs24.x');
  const environment = {
    ...clientEnvironment(queues.url),
    AWS_ENDPOINT_URL_S3: storage.url,
    STAGE: 'chaos',
    STACK_NAME: 'flink-dispatch-chaos',
    LEDGER_BUCKET: LEDGER,
    RUN_QUEUE_URL: urls.get('runs') ?? '',
    DEAD_LETTER_QUEUE_URL: urls.get('dead-letters') ?? '',
    EVENT_BUS_NAME: BUS,
    ...strikes.environment,
  };
  const made = await Promise.all(
    FUNCTIONS.map(async (name) => {
      await bundleOf(`functions/${name}.ts`, folder);
      const timeout = TIMEOUTS[name] * 1000;
      return [name, new LambdaFunction({ name, runtime, folder, environment, timeout, faults, strikes })] as const;
    }),
  );
  return Object.fromEntries(made) as Record<FunctionName, LambdaFunction>;
}

/** Little is asked for: a JVM that may use no more than a fifth of a core takes minutes to start. */
function configOf({ namespace, kubeconfig }: DeploymentOptions['tenant']): object {
  return {
    targets: {
      default: {
        namespace,
        access: { kind: 'kubeconfig', path: kubeconfig },
        rest: { kind: 'service-proxy' },
        jarDelivery: { kind: 'fetch', urlTtl: '1h' },
      },
    },
    defaults: {
      serviceAccount: 'flink',
      jobManager: { resource: { cpu: 0.1, memory: '900m' } },
      taskManager: { resource: { cpu: 0.1, memory: '1000m' } },
      flinkConfiguration: {
        'kubernetes.jobmanager.cpu.limit-factor': '20',
        'kubernetes.taskmanager.cpu.limit-factor': '20',
      },
      deadlines: { start: '5m', run: '10m' },
      retry: { attempts: 3, backoff: '2s' },
    },
    allow: {
      images: [imageOf('*')],
      serviceAccounts: ['flink'],
      jarBuckets: [JARS],
      options: { allow: ['**'] },
      stateStorage: [`s3://${STATE}`],
    },
  };
}
