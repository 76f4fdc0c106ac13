import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { stringify } from 'yaml';
import { createTargets } from '../../../functions/targets.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { Log } from '../../../lib/core/log.ts';
import { Payload } from '../../../lib/core/payload.ts';
import type { RunId } from '../../../lib/core/ids.ts';
import { accept, type AcceptDeps } from '../../../lib/dispatch/accept.ts';
import { advance } from '../../../lib/dispatch/advance.ts';
import { cancelRun } from '../../../lib/dispatch/cancel.ts';
import type { DispatchDeps } from '../../../lib/dispatch/deps.ts';
import { sweep } from '../../../lib/dispatch/sweep/sweep.ts';
import type { SweepDeps } from '../../../lib/dispatch/sweep/sweep-deps.ts';
import type { Target } from '../../../lib/dispatch/targets.ts';
import type { Jars } from '../../../lib/flink/job-manager.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
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
import { FakeSessionLeases } from '../../fakes/session-leases.ts';
import { MemoryObjects } from '../../job/jar/memory-objects.ts';
import { imageOf, LAB } from './lab.ts';
import type { Tenant } from './tenant.ts';
import { logLine } from '../../fakes/log-line.ts';

const FUNCTION_TIME = 60_000;
const JARS = ['WordCount.jar', 'TopSpeedWindowing.jar'] as const;

export function exampleJar(version: string, name: (typeof JARS)[number]): Buffer {
  return readFileSync(join(LAB, 'flink', version, 'examples', 'streaming', name));
}

/**
 * A deployment with a pool `small`, on a real cluster with the tenant's Role: all runs share one ledger, each is followed
 * by a loop of its own as by functions. The jars lie in a bucket of the memory.
 */
export class SessionDispatcher {
  readonly publisher = new FakePublisher();
  readonly evidence = new FakeEvidenceStore();
  readonly leases = new FakeSessionLeases();
  readonly logged: string[] = [];
  /** Instead of the session's own way to run a jar. */
  aroundRun: (run: () => Promise<string>) => Promise<string> = (run) => run();
  target!: Target;
  private readonly ledger = new FakeLedger();
  private readonly clock = { ahead: 0, now: () => Date.now() + this.clock.ahead, sleep: (ms: number) => sleep(ms) };
  private readonly queue = new FakeRunQueue(() => this.clock.now());
  private readonly accepting: AcceptDeps;
  private readonly deps: DispatchDeps;
  private readonly following: Promise<void>;
  private readonly working = new Set<Promise<void>>();
  private stopped = false;

  constructor(tenant: Tenant, version: string) {
    const note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      this.logged.push(`${new Date().toISOString()} ${logLine(message, fields)}`);
    };
    const log: Log = { info: note, warn: note, error: note };
    const clock = { now: () => this.clock.now(), sleep: async (ms: number) => void (await sleep(ms)) };
    const objects = new MemoryObjects();
    for (const name of JARS) objects.put(`jars/${name}`, exampleJar(version, name));
    const deployment = parseDispatchConfig(deploymentOf(tenant, version));
    const deployments = new FakeDeployments();
    const stores = { ledger: this.ledger, deployments, runQueue: this.queue, deadLetters: new FakeDeadLetters() };
    const eventContext = { source: '/flink-dispatch/test', ledgerBucket: 'ledger' };
    const common = { ...stores, callbacks: NO_TASKS, eventContext, clock, log };
    const prepare = { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment };
    this.accepting = { ...common, live: this.ledger, prepare, pin: (jar) => Promise.resolve(jar) };
    const targets = createTargets(deployment, new S3Client({ region: 'none' }));
    this.deps = {
      ...{
        ...common,
        evidence: this.evidence,
        reportOf: (run) => reportOf(run, 'ledger'),
        locks: new FakeLocks(),
        ...fakeHistory(),
        publisher: this.publisher,
      },
      targets: async (name) => this.watched(await targets(name)),
      deliver: () => Promise.reject(new Error('a session is delivered nothing')),
      keepJar: () => Promise.resolve(),
      state: () => {
        throw new DispatchError('StateStorageDenied', 'this dispatcher looks at no state');
      },
      sessions: {
        leases: this.leases,
        submitter: 'this process',
        jarBytes: ({ s3 }) => {
          const name = JARS.find((jar) => jar === s3?.key);
          return name === undefined
            ? Promise.reject(new Error('no such jar'))
            : Promise.resolve(Payload.of(exampleJar(version, name)));
        },
      },
      inlineWait: 15_000,
    };
    this.following = this.follow();
    this.following.catch(() => undefined);
  }

  async request(spec: Readonly<Record<string, unknown>>): Promise<RunId> {
    const messageId = randomBytes(8).toString('hex');
    const source = { kind: 'message', queueArn: 'arn:aws:sqs:us-east-1:111122223333:jobs', messageId } as const;
    return (await accept({ source, identity: messageId, spec }, this.accepting)).runId;
  }

  record(runId: RunId): RunRecord {
    const record = this.ledger.records.find((it) => it.runId === runId);
    if (record === undefined) throw new Error(`no run ${runId}`);
    return record;
  }

  async until(runId: RunId, holds: (record: RunRecord) => boolean, seconds: number): Promise<RunRecord> {
    const end = Date.now() + seconds * 1000;
    while (!holds(this.record(runId))) {
      if (Date.now() > end) throw new Error(`not within ${seconds} s: ${this.situation(runId)}`);
      await Promise.race([sleep(100), this.following]);
    }
    return this.record(runId);
  }

  closed(runId: RunId, seconds = 240): Promise<RunRecord> {
    return this.until(runId, ({ state }) => state === 'closed', seconds);
  }

  cancel(runId: RunId): Promise<boolean> {
    return cancelRun(runId, { by: 'a test', reason: 'JobCanceled' }, this.deps);
  }

  skip(ms: number): void {
    this.clock.ahead += ms;
  }

  async sweep(): Promise<void> {
    const places = { read: () => Promise.resolve({}), write: () => Promise.resolve() };
    const deps: SweepDeps = {
      ...this.deps,
      live: this.ledger,
      index: this.ledger,
      leases: this.leases,
      cursors: places,
    };
    await sweep(['default'], deps, { most: 100, deadline: this.clock.now() + FUNCTION_TIME });
  }

  async open(): Promise<Target> {
    this.target = await this.deps.targets('default');
    return this.target;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.following.catch(() => undefined);
  }

  private situation(runId: RunId): string {
    const { state, outcome, stepError: trouble, waiting, attempts } = this.record(runId);
    return `${JSON.stringify({ state, outcome, trouble, waiting, attempts })}\n${this.logged.slice(-40).join('\n')}`;
  }

  /** Each message in a function of its own, as SQS gives them out. */
  private async follow(): Promise<void> {
    while (!this.stopped) {
      for (const message of this.queue.due()) {
        const work = advance(message, this.deps, this.clock.now() + FUNCTION_TIME).finally(() =>
          this.working.delete(work),
        );
        work.catch(() => undefined);
        this.working.add(work);
      }
      await sleep(100);
    }
    await Promise.allSettled(this.working);
  }

  private watched(target: Target): Target {
    return {
      ...target,
      session: (ref) => {
        const { jars, inspection } = target.session(ref);
        const run: Jars['run'] = (jarId, request) => this.aroundRun(() => jars.run(jarId, request));
        return {
          inspection,
          jars: {
            run,
            plan: (jarId, request) => jars.plan(jarId, request),
            list: () => jars.list(),
            remove: (id) => jars.remove(id),
            upload: (name, content) => jars.upload(name, content),
          },
        };
      },
    };
  }
}

function deploymentOf(tenant: Tenant, version: string): string {
  return stringify({
    targets: { default: { namespace: tenant.namespace, access: { kind: 'kubeconfig', path: tenant.kubeconfig } } },
    defaults: { image: imageOf(version), flinkVersion: version, serviceAccount: 'flink', deadlines: { start: '3m' } },
    sessions: {
      small: {
        idleAfter: '5m',
        jobManager: { resource: { cpu: 0.1, memory: '900m' } },
        taskManager: { resource: { cpu: 0.1, memory: '1000m' } },
        flinkConfiguration: {
          'kubernetes.jobmanager.cpu.limit-factor': '20',
          'kubernetes.taskmanager.cpu.limit-factor': '20',
          'taskmanager.numberOfTaskSlots': '6',
        },
      },
    },
    allow: { jarUriSchemes: ['s3'], jarBuckets: ['jars'], sessions: ['team-*'], options: { allow: ['**'] } },
  });
}
