import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe } from 'vitest';
import { startAws } from '../../infra/local/aws/ministack.ts';
import { startGroup } from '../../infra/local/process.ts';
import { silent } from '../../infra/local/progress.ts';
import { installPython } from '../../infra/local/python.ts';
import type { Bucket } from '../../lib/run/store/s3-objects.ts';
import * as versitygw from './versitygw.ts';

/*
 * Servers of the AWS protocols that others keep. CONTRACT_AWS=1 installs them and runs their suites, which is more than
 * `npm test` has time for; otherwise they are skipped, which is said.
 */
const MOTO = '5.2.5';
const MINISTACK = '1.5.33';
const START_TIMEOUT_MS = 120_000;
const ACCESS = { accessKeyId: '000000000000', secretAccessKey: 'local' };

export interface AwsServer {
  readonly name: string;
  /** Only within tests: the server starts before the first of them. */
  url(): string;
}

interface Running {
  readonly url: string;
  stop(): Promise<void>;
}

const kinds = [
  {
    name: `moto ${MOTO}`,
    needs: 'Python 3',
    start: startMoto,
  },
  {
    name: `ministack ${MINISTACK}`,
    needs: 'Python 3',
    start: startMinistack,
  },
];
const s3Alone = {
  name: versitygw.name,
  needs: 'Go',
  start: startVersitygw,
};

/** Declares `suites` for each server. */
export function forEachAwsServer(suites: (server: AwsServer) => void): void {
  declare(kinds, suites);
}

/** Suites that need S3 alone run on one more. */
export function forEachS3Server(suites: (server: AwsServer) => void): void {
  declare([...kinds, s3Alone], suites);
}

function declare(servers: typeof kinds, suites: (server: AwsServer) => void): void {
  for (const { name, needs, start } of servers) {
    const wanted = process.env['CONTRACT_AWS'] === '1';
    if (!wanted) console.warn(`SKIPPED: the suites against ${name}; CONTRACT_AWS=1 runs them (${needs})`);
    describe.skipIf(!wanted)(name, () => {
      let running: Running | undefined;
      let folder = '';
      beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), 'contract-aws-'));
        running = await start(folder);
      }, 900_000);
      afterAll(async () => {
        await running?.stop();
        await rm(folder, { recursive: true, force: true });
      });
      suites({
        name,
        url() {
          if (running === undefined) throw new Error(`${name} does not run`);
          return running.url;
        },
      });
    });
  }
}

function startMinistack(folder: string): Promise<Running> {
  return startAws({ python: 'python3', folder, host: '127.0.0.1', progress: silent });
}

async function startMoto(folder: string): Promise<Running> {
  const python = await installPython({
    ...{ python: 'python3', name: `moto-${MOTO}`, size: '100 MB', progress: silent },
    requirements: join(import.meta.dirname, 'moto-requirements.txt'),
  });
  const port = await freePort();
  return startServer(folder, python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    url: `http://127.0.0.1:${port}`,
    health: '/moto-api/data.json',
  });
}

async function startVersitygw(folder: string): Promise<Running> {
  const program = await versitygw.install(folder);
  const port = await freePort();
  const data = join(folder, 'data');
  await mkdir(data);
  const options = ['--port', `127.0.0.1:${port}`, '--access', ACCESS.accessKeyId, '--secret', ACCESS.secretAccessKey];
  return startServer(folder, program, [...options, '--health', '/health', 'posix', data], {
    url: `http://127.0.0.1:${port}`,
    health: '/health',
  });
}

async function startServer(
  folder: string,
  program: string,
  args: readonly string[],
  { url, health }: { readonly url: string; readonly health: string },
): Promise<Running> {
  const logFile = join(folder, 'server.log');
  const group = await startGroup(program, args, { folder, logFile, environment: process.env });
  const end = Date.now() + START_TIMEOUT_MS;
  let ended: string | undefined;
  void group.exited.then((how) => (ended = how));
  while (Date.now() < end && ended === undefined) {
    const answer = await fetch(`${url}${health}`).catch(() => undefined);
    if (answer?.ok === true) return { url, stop: () => group.stop() };
    await delay(50);
  }
  await group.stop();
  throw new Error(`${program} did not start (${ended ?? 'no answer'}): ${await readFile(logFile, 'utf8')}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Made once per server. */
const clients = new Map<string, Clients>();

interface Clients {
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
  readonly eventBridge: EventBridgeClient;
}

export function clientsOf(server: AwsServer): Clients {
  const endpoint = server.url();
  const known = clients.get(endpoint);
  if (known !== undefined) return known;
  const config = {
    endpoint,
    region: 'us-east-1',
    credentials: ACCESS,
  };
  const made = {
    s3: new S3Client({ ...config, forcePathStyle: true }),
    sqs: new SQSClient(config),
    sns: new SNSClient(config),
    eventBridge: new EventBridgeClient(config),
  };
  clients.set(endpoint, made);
  return made;
}

export async function freshBucket(server: AwsServer): Promise<Bucket> {
  const { s3 } = clientsOf(server);
  const bucket = `contract-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return { s3, bucket };
}

/** Answers its URL. */
export async function freshQueue(server: AwsServer, fifo = false): Promise<string> {
  const name = `contract-${randomUUID()}${fifo ? '.fifo' : ''}`;
  const attributes = fifo ? { Attributes: { FifoQueue: 'true' } } : {};
  const { QueueUrl } = await clientsOf(server).sqs.send(new CreateQueueCommand({ QueueName: name, ...attributes }));
  if (QueueUrl === undefined) throw new Error('no queue URL');
  return QueueUrl;
}
