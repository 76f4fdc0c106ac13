import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { stringify } from 'yaml';
import { createTargets } from '../../../functions/targets.ts';
import type { Log } from '../../../lib/core/log.ts';
import { NO_ARCHIVES } from '../../../lib/delivery/classes/archives.ts';
import { createDelivery } from '../../../lib/delivery/create-delivery.ts';
import { signedUrls } from '../../../lib/delivery/signed-urls.ts';
import type { DeploymentRecord } from '../../../lib/deployment/record.ts';
import { acceptBatch } from '../../../lib/dispatch/accept-batch.ts';
import type { AcceptDeps } from '../../../lib/dispatch/accept.ts';
import { advanceBatch } from '../../../lib/dispatch/advance-batch.ts';
import type { DispatchDeps } from '../../../lib/dispatch/deps.ts';
import { orderDeployment, type Order } from '../../../lib/dispatch/deployment/order.ts';
import { sweep } from '../../../lib/dispatch/sweep/sweep.ts';
import type { Target } from '../../../lib/dispatch/targets.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { s3JarBytes } from '../../../lib/job/jar/s3-jar-bytes.ts';
import { s3Objects } from '../../../lib/job/jar/s3-objects.ts';
import { s3Pins } from '../../../lib/job/jar/s3-pins.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import type { QueueMessage, RunQueue } from '../../../lib/run/store/run-queue.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { s3StateStorages } from '../../../lib/state/s3-state-storage.ts';
import { parseUploadEvent } from '../../../lib/trigger/s3-event.ts';
import { NO_TASKS } from '../../../lib/outcome/task-callbacks.ts';
import { FakeDeadLetters } from '../../fakes/dead-letters.ts';
import { FakeDeployments } from '../../fakes/deployments.ts';
import { reportOf } from '../../../lib/view/report/report.ts';
import { FakeEvidenceStore } from '../../fakes/evidence.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { fakeHistory } from '../../fakes/history.ts';
import { FakeLocks } from '../../fakes/locks.ts';
import { logLine } from '../../fakes/log-line.ts';
import { FakePublisher } from '../../fakes/publisher.ts';
import { FakeSessionLeases, fakeSessions } from '../../fakes/session-leases.ts';
import type { Spec } from './dispatcher.ts';
import { Deaths, type Life } from './deaths.ts';
import { imageOf } from './lab.ts';
import { STATE_BUCKET, type Storage } from './s3.ts';
import type { Tenant } from './tenant.ts';

const FUNCTION_TIME = 60_000;
/** After which a queue shows a message again whose function was killed. */
const VISIBILITY = 500;
const SLICE = 50;
const SWEEP_EVERY = 10_000;
/** The sweeper takes what is late by two minutes for lost; here nothing is late by a second. */
const SWEEP_AHEAD = 120_000;
const UPLOADS = 'streams';

export interface StreamsOptions {
  readonly tenant: Tenant;
  readonly version: string;
  readonly storage: Storage;
}

/**
 * One stream on a real cluster, whose jars are uploaded: the dispatcher with its real Kubernetes and state storage, and
 * what else AWS gives it in memory. Each message is worked on by itself, as by functions, which `deaths` can kill.
 */
export class Streams {
  /** Of its job: what is made of it on the cluster follows from it. */
  readonly name = `counter-${randomBytes(3).toString('hex')}`;
  readonly deaths = new Deaths();
  readonly logged: string[] = [];
  private readonly options: StreamsOptions;
  private readonly ledger = new FakeLedger();
  private readonly deployments = new FakeDeployments();
  private readonly queue = new Queue();
  private readonly published = new FakePublisher();
  private readonly fixed: Omit<DispatchDeps, 'targets'>;
  private readonly accepting: AcceptDeps;
  private readonly targets: DispatchDeps['targets'];
  private readonly working = new Set<Promise<void>>();
  private readonly following: Promise<void>;
  private uploads = 0;
  private stopped = false;

  constructor(options: StreamsOptions) {
    this.options = options;
    const { s3, ledgerBucket: bucket } = options.storage;
    const note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      this.logged.push(`${new Date().toISOString()} ${logLine(message, fields)}`);
    };
    const log: Log = { info: note, warn: note, error: note };
    const clock = { now: () => Date.now(), sleep: async (ms: number) => void (await sleep(ms)) };
    const deployment = parseDispatchConfig(configOf(options));
    const objects = s3Objects(s3);
    const pins = s3Pins({ s3, bucket, clock });
    const { ledger, deployments, queue: runQueue } = this;
    const eventContext = { source: '/flink-dispatch/test', ledgerBucket: bucket };
    const events = { callbacks: NO_TASKS, eventContext };
    const common = { ledger, deployments, runQueue, deadLetters: new FakeDeadLetters(), ...events, clock, log };
    const prepare = { objects, storedJobs: storedJobsIn(objects, bucket), deployment };
    this.accepting = { ...common, live: ledger, prepare, pin: pins.pin };
    this.targets = createTargets(deployment, s3);
    const bundle = (): Promise<never> => Promise.reject(new Error('nothing is bundled here'));
    this.fixed = {
      ...{
        ...common,
        evidence: new FakeEvidenceStore(),
        reportOf: (run) => reportOf(run, bucket),
        locks: new FakeLocks(),
        ...fakeHistory(),
        publisher: this.published,
      },
      deliver: createDelivery(deployment, { sign: signedUrls(s3), clock, bundle, archives: NO_ARCHIVES }),
      keepJar: pins.refresh,
      state: s3StateStorages({ s3, allowed: [`s3://${STATE_BUCKET}`] }),
      ...{ sessions: { ...fakeSessions(), jarBytes: s3JarBytes(s3) }, inlineWait: 15_000 },
    };
    this.following = this.follow();
    this.following.catch(() => undefined);
  }

  /** Puts the jar, with its spec beside it, under the one key of the stream, as its team does for each version. */
  async upload(jar: Uint8Array, spec: Spec): Promise<void> {
    const { s3 } = this.options.storage;
    const key = `${this.name}.jar`;
    await s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key: `${key}.job.yaml`, Body: stringify(spec) }));
    const { ETag = '', VersionId } = await s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key: key, Body: jar }));
    this.uploads += 1;
    const sequencer = this.uploads.toString(16).toUpperCase().padStart(18, '0');
    const object = { key, size: jar.length, eTag: ETag.replaceAll('"', ''), versionId: VersionId, sequencer };
    const event = {
      ...{ eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: 'us-east-1', eventName: 'ObjectCreated:Put' },
      eventTime: new Date().toISOString(),
    };
    const records = parseUploadEvent({ Records: [{ ...event, s3: { bucket: { name: UPLOADS }, object } }] });
    const original = (): { body: string; source: string } => ({ body: '', source: 'uploads' });
    const { batchItemFailures } = await acceptBatch(records, original, {
      ...this.accepting,
      order: () => Promise.reject(new Error('an upload orders nothing')),
    });
    const rejected = this.runs.filter(({ state, attempts }) => state !== 'accepted' && attempts.length === 0);
    const made = this.deployments.records.length + this.runs.length;
    if (batchItemFailures.length > 0 || made === 0 || rejected.length > 0)
      throw new Error(`the upload was not taken: ${this.situation()}`);
  }

  get deployment(): DeploymentRecord {
    const [record] = this.deployments.records;
    if (record === undefined) throw new Error(`there is no deployment: ${this.situation()}`);
    return record;
  }

  /** In the order in which they were made. */
  get runs(): readonly RunRecord[] {
    return [...this.ledger.records].sort((a, b) => a.createdAt - b.createdAt);
  }

  /** Whether the records say by now what the job itself has told: functions look now and then. */
  get isSeenRunning(): boolean {
    return this.runs.at(-1)?.state === 'running' && this.deployments.records.every(({ state }) => state === 'running');
  }

  /** Where its runs are. */
  target(): Promise<Target> {
    return this.targets(this.deployment.target);
  }

  /** Of its deployment. */
  get events(): readonly { readonly type: string; readonly data: unknown }[] {
    return this.published.ofDeployments.map(({ event }) => event);
  }

  /** The cluster of the run that was made last. */
  get ref(): ClusterRef {
    const clusterId = this.runs.at(-1)?.attempts.at(-1)?.clusterId;
    if (clusterId === undefined) throw new Error(`there is no cluster: ${this.situation()}`);
    return { namespace: this.options.tenant.namespace, clusterId };
  }

  /** @throws Error that tells how everything is instead. */
  async until(what: () => string, seconds: number, holds: () => boolean): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what()}: ${this.situation()}`);
      await Promise.race([sleep(SLICE), this.following]);
    }
  }

  /** What a person wants of its deployment. */
  async order(order: Order): Promise<void> {
    const who = { by: 'a person', once: randomBytes(4).toString('hex') };
    await orderDeployment(this.deployment.id, order, who, this.accepting);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.following.catch(() => undefined);
  }

  situation(): string {
    const runs = this.runs.map(({ runId, state, outcome, stepError, attempts }) => ({
      ...{ runId, state, outcome: outcome?.reason, message: outcome?.message, stepError },
      attempts: attempts.map(({ restoredFrom, snapshot }) => ({ from: restoredFrom?.path, left: snapshot?.path })),
    }));
    const records = this.deployments.records.map((record) => ({ ...record, events: record.events.length }));
    return `${JSON.stringify({ records, runs }, undefined, 1)}\n${this.logged.slice(-60).join('\n')}`;
  }

  private async follow(): Promise<void> {
    let swept = Date.now();
    while (!this.stopped) {
      if (Date.now() - swept > SWEEP_EVERY) {
        swept = Date.now();
        await this.sweep();
      }
      for (const message of this.queue.due()) {
        const work = this.invoke(message).finally(() => this.working.delete(work));
        this.working.add(work);
      }
      await sleep(SLICE);
    }
    await Promise.allSettled(this.working);
  }

  private async sweep(): Promise<void> {
    const places = { read: () => Promise.resolve({}), write: () => Promise.resolve() };
    const clock = { ...this.fixed.clock, now: () => Date.now() + SWEEP_AHEAD };
    const leases = new FakeSessionLeases();
    const deps = {
      ...this.fixed,
      targets: this.targets,
      clock,
      live: this.ledger,
      index: this.ledger,
      leases,
      cursors: places,
    };
    await sweep([], deps, { most: 100, deadline: clock.now() + FUNCTION_TIME });
  }

  /** What its function does not answer for comes again. */
  private async invoke(message: QueueMessage): Promise<void> {
    const life: Life = { dead: false };
    const body = JSON.stringify(message);
    const record = { messageId: randomBytes(8).toString('hex'), body, eventSourceARN: 'runs' };
    const answer = await advanceBatch([record], this.depsOf(life), Date.now() + FUNCTION_TIME).catch(() => undefined);
    if (!life.dead && answer?.batchItemFailures.length === 0) return;
    await sleep(VISIBILITY);
    await this.queue.send(message, 0);
  }

  private depsOf(life: Life): DispatchDeps {
    const { fixed } = this;
    const guard = <P extends object>(port: P, name: string): P => this.deaths.guard(port, name, life);
    return {
      ...fixed,
      ledger: guard(fixed.ledger, 'ledger'),
      deployments: guard(fixed.deployments, 'deployments'),
      runQueue: guard(fixed.runQueue, 'queue'),
      locks: guard(fixed.locks, 'locks'),
      evidence: guard(fixed.evidence, 'evidence'),
      samples: guard(fixed.samples, 'samples'),
      archives: guard(fixed.archives, 'archives'),
      publisher: guard(fixed.publisher, 'publisher'),
      keepJar: this.deaths.guardCall(fixed.keepJar, 'keep jar', life),
      state: (uri) => guard(fixed.state(uri), 'state'),
      targets: async (name) => guardedTarget(await this.targets(name), guard),
    };
  }
}

function guardedTarget(target: Target, guard: <P extends object>(port: P, name: string) => P): Target {
  return {
    ...target,
    cluster: guard(target.cluster, 'cluster'),
    jobManager: (ref) => guard(target.jobManager(ref), 'flink'),
    application: (ref) => guard(target.application(ref), 'flink'),
    savepoints: (ref) => guard(target.savepoints(ref), 'flink'),
    rescaling: (ref) => guard(target.rescaling(ref), 'flink'),
    history: (ref) => guard(target.history(ref), 'flink'),
    session: (ref) => ({ ...target.session(ref), jars: guard(target.session(ref).jars, 'flink') }),
  };
}

/** The run queue: looks at runs and at deployments, in the order in which they are due. */
class Queue implements RunQueue {
  private waiting: { readonly message: QueueMessage; readonly visibleAt: number }[] = [];

  send(message: QueueMessage, delaySeconds: number): Promise<void> {
    this.waiting.push({ message, visibleAt: Date.now() + delaySeconds * 1000 });
    return Promise.resolve();
  }

  /** Takes what is visible. */
  due(): readonly QueueMessage[] {
    const now = Date.now();
    const due = this.waiting.filter(({ visibleAt }) => visibleAt <= now);
    this.waiting = this.waiting.filter(({ visibleAt }) => visibleAt > now);
    return due.map(({ message }) => message);
  }
}

/** Where streams' jars are uploaded: a bucket that keeps old versions, as the product's own does. */
export async function openUploads({ s3 }: Storage): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: UPLOADS }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: UPLOADS, VersioningConfiguration }));
}

/** Little is asked for and much allowed: a JVM that may use no more than a fifth of a core takes minutes to start. */
function configOf({ tenant, version }: StreamsOptions): string {
  const access = { kind: 'kubeconfig', path: tenant.kubeconfig };
  const jarDelivery = { kind: 'fetch', urlTtl: '1h' };
  return stringify({
    targets: { default: { namespace: tenant.namespace, access, jarDelivery } },
    defaults: {
      ...{ image: imageOf(version), flinkVersion: version, serviceAccount: 'flink' },
      jobManager: { resource: { cpu: 0.1, memory: '900m' } },
      taskManager: { resource: { cpu: 0.1, memory: '1000m' } },
      flinkConfiguration: {
        'kubernetes.jobmanager.cpu.limit-factor': '20',
        'kubernetes.taskmanager.cpu.limit-factor': '20',
      },
      deadlines: { start: '8m' },
      retry: { attempts: 1 },
    },
    allow: {
      ...{ images: ['**'], serviceAccounts: ['**'], podTemplates: 'any', jarBuckets: ['**'] },
      ...{ options: { allow: ['**'] }, maxResources: { cpu: 1e5 }, stateStorage: [`s3://${STATE_BUCKET}`] },
    },
  });
}
