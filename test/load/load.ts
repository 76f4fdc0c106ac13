import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { setTimeout as delay } from 'node:timers/promises';
import { clientConfig } from '../../infra/local/aws/deploy.ts';
import type { KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { isRecord } from '../../lib/core/json.ts';
import { judge, type Verdict } from './judge.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

export interface LoadOptions extends Omit<WorldOptions, 'quota'> {
  readonly messages: number;
  /** Clusters that the quota admits at once. */
  readonly quota: number;
  /** Every nth message is sent a second time. */
  readonly repeatEvery: number;
  /** Milliseconds after which what is not over counts as lost. */
  readonly patience: number;
  readonly note: (line: string) => void;
}

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const LEFT_ON_KUBERNETES = [
  DEPLOYMENTS,
  '/apis/apps/v1/namespaces/default/replicasets',
  '/api/v1/namespaces/default/pods',
  '/api/v1/namespaces/default/services',
  '/api/v1/namespaces/default/configmaps',
];
/** A batch of SendMessage. */
const BATCH = 10;

/** Many messages at once, through the deployed functions, to a busy Kubernetes with room for a few. */
export async function runLoad(options: LoadOptions): Promise<Verdict> {
  const { messages, quota, patience } = options;
  const world = await startWorld({ ...options, quota: { 'count/deployments.apps': String(quota) } });
  try {
    const began = Date.now();
    const until = began + patience;
    await sendAll(world, options);
    await announced(world, options, began);
    const left = await quiet(world, until);
    const ms = Date.now() - began;
    const { subscriber, client } = world.stack;
    return judge({
      messages,
      quota,
      records: await client.records(),
      deliveries: subscriber.deliveries,
      begun: world.node.begun,
      most: world.node.most,
      left,
      ms,
      throttled: Object.fromEntries(world.throttles.flatMap(({ counts }) => [...counts])),
    });
  } finally {
    await world.stop();
  }
}

async function sendAll({ stack }: World, { messages, repeatEvery }: LoadOptions): Promise<void> {
  const bodies = Array.from({ length: messages }, (_, index) => bodyOf(index));
  const all = bodies.flatMap((body, index) => (index % repeatEvery === 0 ? [body, body] : [body]));
  const batches = Array.from({ length: Math.ceil(all.length / BATCH) }, (_, index) =>
    all.slice(index * BATCH, (index + 1) * BATCH).map((MessageBody, at) => ({ Id: String(at), MessageBody })),
  );
  const sqs = new SQSClient(clientConfig(stack.aws));
  const QueueUrl = stack.deployment.messageQueueUrl;
  try {
    const answers = await Promise.all(
      batches.map((Entries) => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))),
    );
    const refused = answers.flatMap(({ Failed = [] }) => Failed).length;
    if (refused > 0) throw new Error(`${refused} messages were not taken`);
  } finally {
    sqs.destroy();
  }
}

function bodyOf(index: number): string {
  const job = { jarURI: 'local:///opt/flink/usrlib/job.jar', entryClass: 'org.example.Job' };
  return JSON.stringify({ idempotencyKey: `load-${index}`, spec: { name: `load-${index % 10}`, job } });
}

/** Until each run has told its end, or patience is over. */
async function announced({ stack, node }: World, options: LoadOptions, began: number): Promise<void> {
  const { messages, patience, note } = options;
  for (let noted = 0; Date.now() < began + patience; await delay(500)) {
    const ended = new Set(
      stack.subscriber.deliveries
        .filter(({ event }) => event.type === 'io.flink-dispatch.run.completed.v1')
        .map(({ event }) => event.subject),
    );
    if (Date.now() - noted >= 10_000 || ended.size >= messages) {
      noted = Date.now();
      note(`${Math.round((noted - began) / 1000)} s: ${node.begun.length} begun, ${ended.size} ended`);
    }
    if (ended.size >= messages) return;
  }
}

/** Until nothing is left, or patience is over; answers what is left. The sweeper takes markers away, once a minute. */
async function quiet(world: World, until: number): Promise<readonly string[]> {
  for (;;) {
    const left = await leftIn(world);
    if (left.length === 0 || Date.now() >= until) return left;
    await delay(1_000);
  }
}

async function leftIn({ stack, kubernetes }: World): Promise<string[]> {
  const objects = await Promise.all(LEFT_ON_KUBERNETES.map((path) => namesAt(kubernetes, path)));
  const messages = await stack.client.waitingMessages();
  const s3 = new S3Client({ ...clientConfig(stack.aws), forcePathStyle: true });
  try {
    const keys = await Promise.all(
      ['live/', 'locks/'].map((Prefix) =>
        s3.send(new ListObjectsV2Command({ Bucket: stack.deployment.ledgerBucket, Prefix })),
      ),
    );
    const markers = keys.flatMap(({ Contents = [] }) => Contents.flatMap(({ Key }) => Key ?? []));
    return [...objects.flat(), ...messages.map((queue) => `messages in ${queue}`), ...markers];
  } finally {
    s3.destroy();
  }
}

async function namesAt(kubernetes: KubernetesApi, path: string): Promise<string[]> {
  const { body } = await kubernetes.request({ method: 'GET', path });
  const items = isRecord(body) && Array.isArray(body['items']) ? body['items'].filter(isRecord) : [];
  const kind = path.split('/').at(-1) ?? path;
  return items.flatMap(({ metadata }) => (isRecord(metadata) ? [`${kind}/${String(metadata['name'])}`] : []));
}
