import { rmSync } from 'node:fs';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { LifecycleEvent } from '../../lib/outcome/schema.ts';
import { buildRelease } from '../release.ts';
import { createDeploymentClient, type DeploymentClient, type ScheduleRequest } from './aws/client.ts';
import { deploy, type Deployment } from './aws/deploy.ts';
import { startAws, type AwsServer } from './aws/ministack.ts';
import { subscribe, type Delivery, type Subscriber } from './aws/subscriber.ts';
import { deploymentConfig } from './config.ts';
import { openCluster, type ClusterChoice, type LocalCluster } from './cluster.ts';
import { checkTools } from './flink/tools.ts';
import type { Progress } from './progress.ts';

export interface StackOptions {
  /** A cluster of the caller's; default: one in which pods are processes of this machine. */
  readonly kubernetes?: ClusterChoice;
  /** This machine's address that pods can reach; default: loopback. */
  readonly host?: string;
  /** Beside the target `default`, each with what differs from it. */
  readonly targets?: Readonly<Record<string, object>>;
  /** Of the template, beside the stack's own. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly progress: Progress;
}

export interface Upload {
  /** The key in the jar bucket. */
  readonly key: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** A spec beside the jar: `<key>.job.yaml`. */
  readonly spec?: unknown;
}

/** The whole product on one machine: AWS, Kubernetes, the deployment, and a subscriber of its events. */
export interface Stack {
  readonly aws: AwsServer;
  readonly cluster: LocalCluster;
  readonly deployment: Deployment;
  /** The folder of the release that was deployed. */
  readonly release: string;
  readonly subscriber: Subscriber;
  readonly client: DeploymentClient;
  /** Answers the object's version id. */
  upload(jar: string | Uint8Array, upload: Upload): Promise<string>;
  /** A job message; answers its id. */
  send(message: unknown, attributes?: Readonly<Record<string, string>>): Promise<string>;
  schedule(request: ScheduleRequest): Promise<void>;
  /** `jobs/<name>.yaml` of the ledger, and its jar beside it when there is one; the spec then names it. */
  storeJob(name: string, spec: object, jar?: string): Promise<void>;
  /** The first event, past or future, that fits; by default within two minutes. */
  nextEvent(fits: (event: LifecycleEvent) => boolean, timeoutMs?: number): Promise<Delivery>;
  /** The text of an `s3://` object. */
  read(uri: string): Promise<string | undefined>;
  /** Where the local AWS and the functions log to; it goes when the stack stops. */
  readonly logFile: string;
  /** Objects of runs on Kubernetes, their processes, messages in queues: empty when nothing is left. */
  remains(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Starts everything, or stops what it has started and throws. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { progress, host = '127.0.0.1' } = options;
  await requireTools();
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-stack-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 5 })];
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  const stop = once(async () => {
    for (const step of stops.reverse()) await step().catch(() => undefined);
    process.off('exit', removeFolder);
  });
  const started = <T extends { stop(): Promise<void> }>(part: T): T => {
    stops.push(() => part.stop());
    return part;
  };
  const release = join(folder, 'release');
  try {
    const [cluster, aws] = await settled([
      openCluster(options.kubernetes, { folder, progress }).then(started),
      startAws({ python: 'python3', folder, host, progress }).then(started),
    ] as const);
    const deployment = await progress.stage('Deploying serverless.yml to the local AWS', async () => {
      await buildRelease(release);
      const parameters = { LogLevel: 'DEBUG', ...options.parameters };
      const config = stringify(deploymentConfig(cluster, options.targets));
      return deploy(aws, { stack: 'flink-dispatch-local', release, config, parameters });
    });
    const subscriber = started(await subscribe(aws, deployment.eventBusName, 'subscriber'));
    const client = createDeploymentClient(aws, deployment);
    stops.push(() => Promise.resolve(client.close()));
    const operate = operations({ client, deployment, subscriber, cluster });
    return { aws, cluster, deployment, release, subscriber, client, logFile: aws.logFile, stop, ...operate };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** This machine lacks something, and the message says how to get it. */
export class MissingTools extends Error {
  override readonly name = 'MissingTools';
}

/** @throws MissingTools before anything is downloaded. */
async function requireTools(): Promise<void> {
  const { missing } = await checkTools();
  if (missing.length === 0) return;
  throw new MissingTools(missing.map(({ name, todo }) => `${name} is needed: ${todo}`).join('\n'));
}

interface Parts {
  readonly client: DeploymentClient;
  readonly deployment: Deployment;
  readonly subscriber: Subscriber;
  readonly cluster: LocalCluster;
}

type Operations = Pick<Stack, 'upload' | 'send' | 'schedule' | 'storeJob' | 'nextEvent' | 'read' | 'remains'>;

function operations({ client, deployment, subscriber, cluster }: Parts): Operations {
  const { jarBucket, ledgerBucket } = deployment;
  return {
    async upload(jar, { key, metadata, spec }) {
      // The jar comes last: it is what starts the run.
      if (spec !== undefined) await client.put(jarBucket, `${key}.job.yaml`, stringify(spec));
      return client.put(jarBucket, key, typeof jar === 'string' ? await readFile(jar) : jar, metadata);
    },
    send: (message, attributes) => client.send('messages', JSON.stringify(message), attributes),
    schedule: (request) => client.schedule(request),
    async storeJob(name, spec, jar) {
      if (jar !== undefined) await client.put(ledgerBucket, `jobs/${name}.jar`, await readFile(jar));
      const own = jar === undefined ? {} : { job: { jarURI: `s3://${ledgerBucket}/jobs/${name}.jar` } };
      await client.put(ledgerBucket, `jobs/${name}.yaml`, stringify({ ...own, ...spec }));
    },
    nextEvent: (fits, timeoutMs = 120_000) => subscriber.next(fits, timeoutMs),
    read(uri) {
      const { hostname, pathname } = new URL(uri);
      return client.text(hostname, decodeURIComponent(pathname.slice(1)));
    },
    async remains() {
      const records = await client.records();
      const clusterIds = records.flatMap(({ attempts }) => attempts.map(({ clusterId }) => clusterId));
      const [objects, messages] = await Promise.all([cluster.remains(clusterIds), client.waitingMessages()]);
      return [...objects, ...messages.map((queue) => `messages in ${queue}`)];
    },
  };
}

/** Waits for all, also when one fails: what the others started has to be known to be stopped. */
async function settled<A, B>(work: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Promise.all(work);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
