import type { TestContext } from 'vitest';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { stringify } from 'yaml';
import { createTargets } from '../../../functions/targets.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { ClusterRef, Clusters } from '../../../lib/kubernetes/cluster/port.ts';
import type { Clock } from '../../../lib/core/clock.ts';
import type { Log } from '../../../lib/core/log.ts';
import { accept, type AcceptDeps } from '../../../lib/dispatch/accept.ts';
import { advance } from '../../../lib/dispatch/advance.ts';
import { cancelRun } from '../../../lib/dispatch/cancel.ts';
import type { DispatchDeps } from '../../../lib/dispatch/deps.ts';
import type { Target } from '../../../lib/dispatch/targets.ts';
import type { BundleDeps } from '../../../lib/delivery/bundle.ts';
import { s3ClassArchives } from '../../../lib/delivery/classes/archives.ts';
import { createDelivery } from '../../../lib/delivery/create-delivery.ts';
import type { Deliver } from '../../../lib/delivery/delivery.ts';
import { signedUrls, type SignUrl } from '../../../lib/delivery/signed-urls.ts';
import {
  parseDispatchConfig,
  type DispatchConfig,
  type TargetConfig,
} from '../../../lib/job/config/dispatch-config.ts';
import type { ObjectStore } from '../../../lib/job/jar/objects.ts';
import type { PinJar } from '../../../lib/job/jar/pin.ts';
import { s3Objects } from '../../../lib/job/jar/s3-objects.ts';
import { s3Pins } from '../../../lib/job/jar/s3-pins.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import { isRunEvent } from '../../../lib/outcome/publisher.ts';
import type { LifecycleEvent } from '../../../lib/outcome/schema.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { NO_TASKS } from '../../../lib/outcome/task-callbacks.ts';
import { FakeDeployments } from '../../fakes/deployments.ts';
import { FakeDeadLetters } from '../../fakes/dead-letters.ts';
import { reportOf } from '../../../lib/view/report/report.ts';
import { FakeEvidenceStore } from '../../fakes/evidence.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { fakeHistory } from '../../fakes/history.ts';
import { FakeLocks } from '../../fakes/locks.ts';
import { FakePublisher } from '../../fakes/publisher.ts';
import { FakeRunQueue } from '../../fakes/run-queue.ts';
import { fakeSessions } from '../../fakes/session-leases.ts';
import { MemoryObjects } from '../../job/jar/memory-objects.ts';
import { imageOf } from './lab.ts';
import type { Tenant } from './tenant.ts';
import { logLine } from '../../fakes/log-line.ts';

/** The time that one function has, and how long it waits by itself, as in functions/wiring.ts. */
const FUNCTION_TIME = 60_000;
const INLINE_WAIT = 15_000;
/** A look that is due while a test waits for something else is at most this late. */
const SLICE = 100;

/** A job spec as a user would send it. */
export type Spec = Readonly<Record<string, unknown>>;

export interface RunOptions {
  readonly tenant: Tenant;
  readonly version: string;
  readonly spec: Spec;
  /** An S3 that somebody else wrote, and how jars reach pods from it; default: jars of the image alone. */
  readonly jars?: JarsOfRun;
  /** Just before anything of the cluster is removed. */
  readonly beforeRemoval?: (ref: ClusterRef) => Promise<void>;
}

export interface JarsOfRun {
  readonly s3: S3Client;
  readonly ledgerBucket: string;
  readonly delivery: TargetConfig['jarDelivery'];
  /** Default: URLs of that S3. */
  readonly sign?: SignUrl;
  /** For `bundle`. */
  readonly bundle?: BundleDeps;
}

export interface Published {
  readonly event: LifecycleEvent;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The system's time, which a test can put forward. */
class TestClock implements Clock {
  private ahead = 0;
  now(): number {
    return Date.now() + this.ahead;
  }
  async sleep(ms: number): Promise<void> {
    await sleep(ms);
  }
  skip(ms: number): void {
    this.ahead += ms;
  }
}

/**
 * One run on a real cluster: the dispatcher with its real Kubernetes adapter and the tenant's Role, followed as the
 * functions do it. What AWS gives it (ledger, queues, subscriber) is in memory, and its own alone.
 */
export class Run {
  readonly clock = new TestClock();
  readonly evidence = new FakeEvidenceStore();
  readonly logged: string[] = [];
  readonly published: Published[] = [];
  private readonly options: RunOptions;
  private readonly ledger = new FakeLedger();
  private readonly queue = new FakeRunQueue(() => this.clock.now());
  private readonly deps: DispatchDeps;
  private readonly accepting: AcceptDeps;
  private following: Promise<void> | undefined;
  private stopped = false;
  private paused = false;

  constructor(options: RunOptions) {
    this.options = options;
    const note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      this.logged.push(`${new Date().toISOString()} ${logLine(message, fields)}`);
    };
    const log: Log = { info: note, warn: note, error: note };
    const deployments = new FakeDeployments();
    const stores = { ledger: this.ledger, deployments, runQueue: this.queue, deadLetters: new FakeDeadLetters() };
    const eventContext = { source: '/flink-dispatch/test', ledgerBucket: 'ledger' };
    const common = { ...stores, callbacks: NO_TASKS, eventContext };
    const deployment = parseDispatchConfig(deploymentOf(options));
    const { objects, pin, deliver } = jarsOf(options.jars, deployment, this.clock);
    const prepare = { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment };
    this.accepting = { ...common, clock: this.clock, log, live: this.ledger, prepare, pin };
    const targets = createTargets(deployment, new S3Client({ region: 'none' }));
    this.deps = {
      ...{
        ...common,
        clock: this.clock,
        log,
        evidence: this.evidence,
        reportOf: (run) => reportOf(run, 'ledger'),
        locks: new FakeLocks(),
        ...fakeHistory(),
      },
      publisher: this.publisher(),
      targets: async (name) => this.watched(await targets(name)),
      deliver,
      keepJar: () => Promise.resolve(),
      state: () => {
        throw new DispatchError('StateStorageDenied', 'this dispatcher looks at no state');
      },
      sessions: fakeSessions(),
      inlineWait: INLINE_WAIT,
    };
  }

  /** Accepts the run and begins to follow it. */
  async start(): Promise<this> {
    const messageId = randomBytes(8).toString('hex');
    const source = { kind: 'message', queueArn: 'arn:aws:sqs:us-east-1:111122223333:jobs', messageId } as const;
    await accept({ source, identity: messageId, spec: this.options.spec }, this.accepting);
    this.following = this.follow();
    // Whoever waits for something hears of it.
    this.following.catch(() => undefined);
    return this;
  }

  get record(): RunRecord {
    const record = this.ledger.records[0];
    if (record === undefined) throw new Error('there is no run yet');
    return record;
  }

  get ref(): ClusterRef {
    const clusterId = this.record.attempts.at(-1)?.clusterId;
    if (clusterId === undefined) throw new Error('there is no attempt yet');
    return { namespace: this.options.tenant.namespace, clusterId };
  }

  /** Waits until the record is so. @throws Error that tells how it is, and what the dispatcher logged. */
  async until(holds: (record: RunRecord) => boolean, seconds: number): Promise<RunRecord> {
    const end = Date.now() + seconds * 1000;
    while (!holds(this.record)) {
      if (Date.now() > end || this.stopped) throw new Error(`not within ${seconds} s: ${this.situation()}`);
      await Promise.race([sleep(SLICE), this.following]);
    }
    return this.record;
  }

  /** The event of that state, once it is published. */
  async event(state: string, seconds: number): Promise<Published> {
    const find = (): Published | undefined => this.published.find(({ event }) => event.data.state === state);
    await this.until(() => find() !== undefined || this.isClosed(), seconds);
    const found = find();
    if (found === undefined) throw new Error(`no event '${state}': ${this.situation()}`);
    return found;
  }

  /** The event of the end, whatever it says. */
  async completed(seconds: number): Promise<Published> {
    const find = (): Published | undefined => this.published.find(({ event }) => event.type.includes('.completed.'));
    await this.until(() => find() !== undefined, seconds);
    return find() as Published;
  }

  /** Until nothing of it is left, as a look of the dispatcher proved. */
  async closed(seconds = 60): Promise<RunRecord> {
    return this.until(() => this.isClosed(), seconds);
  }

  cancel(): Promise<boolean> {
    return cancelRun(this.record.runId, { by: 'a test', reason: 'JobCanceled' }, this.deps);
  }

  /** Nobody looks at the run until `resume`, as when its functions cannot run. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.following?.catch(() => undefined);
  }

  private isClosed(): boolean {
    return this.record.state === 'closed';
  }

  private situation(): string {
    const { state, outcome, stepError: trouble, waiting } = this.record;
    return `${JSON.stringify({ state, outcome, trouble, waiting })}\n${this.logged.join('\n')}`;
  }

  /** As SQS and its function do it. */
  private async follow(): Promise<void> {
    while (!this.stopped && !this.isClosed()) {
      if (!this.paused) {
        for (const message of this.queue.due()) await advance(message, this.deps, this.clock.now() + FUNCTION_TIME);
      }
      await sleep(SLICE);
    }
  }

  private publisher(): DispatchDeps['publisher'] {
    const fake = new FakePublisher();
    return {
      publish: async (event, notify) => {
        await fake.publish(event, notify);
        if (isRunEvent(event)) this.published.push({ event, at: Date.now() });
      },
    };
  }

  private watched(target: Target): Target {
    const { cluster } = target;
    const { beforeRemoval } = this.options;
    if (beforeRemoval === undefined) return target;
    const remove: Clusters['remove'] = async (ref, what) => {
      await beforeRemoval(ref);
      await cluster.remove(ref, what);
    };
    return { ...target, cluster: { ...cluster, remove } };
  }
}

function jarsOf(
  jars: JarsOfRun | undefined,
  { targets }: DispatchConfig,
  clock: Clock,
): { readonly objects: ObjectStore; readonly pin: PinJar; readonly deliver: Deliver } {
  if (jars === undefined) {
    const pin: PinJar = (jar) => Promise.resolve(jar);
    return { objects: new MemoryObjects(), pin, deliver: ({ jar }) => Promise.resolve({ jarUri: jar.uri }) };
  }
  const { s3, ledgerBucket: bucket, delivery: jarDelivery, sign = signedUrls(s3) } = jars;
  const { pin, refresh: keep } = s3Pins({ s3, bucket, clock });
  const archives = s3ClassArchives({ s3, bucket, keep });
  const configured = Object.entries(targets).map(([name, target]) => [name, { ...target, jarDelivery }] as const);
  const bundle = (): Promise<BundleDeps> =>
    jars.bundle === undefined ? Promise.reject(new Error('this run has no registry')) : Promise.resolve(jars.bundle);
  const deliver = createDelivery({ targets: Object.fromEntries(configured) }, { sign, clock, bundle, archives });
  return { objects: s3Objects(s3), pin, deliver };
}

/** Little is asked for and much allowed: a JVM that may use no more than a fifth of a core takes minutes to start. */
function deploymentOf({ tenant, version }: RunOptions): string {
  return stringify({
    targets: { default: { namespace: tenant.namespace, access: { kind: 'kubeconfig', path: tenant.kubeconfig } } },
    defaults: {
      name: 'job',
      image: imageOf(version),
      flinkVersion: version,
      serviceAccount: 'flink',
      jobManager: { resource: { cpu: 0.1, memory: '900m' } },
      taskManager: { resource: { cpu: 0.1, memory: '1000m' } },
      flinkConfiguration: {
        'kubernetes.jobmanager.cpu.limit-factor': '20',
        'kubernetes.taskmanager.cpu.limit-factor': '20',
      },
      deadlines: { start: '5m' },
      retry: { attempts: 1 },
    },
    allow: {
      ...{ images: ['**'], serviceAccounts: ['**'], podTemplates: 'any', secrets: ['**'] },
      ...{ jarUriSchemes: ['local', 's3'], jarBuckets: ['**'], options: { allow: ['**'] }, maxResources: { cpu: 1e5 } },
    },
  });
}

/** A run that is followed until its test ends. */
export async function startRun(
  request: { tenant: Tenant; version: string; spec: Spec },
  test: TestContext,
): Promise<Run> {
  const run = await new Run(request).start();
  test.onTestFinished(() => run.stop());
  return run;
}
