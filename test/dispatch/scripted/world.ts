import type { Log } from '../../../lib/core/log.ts';
import { Payload } from '../../../lib/core/payload.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import type { RunId } from '../../../lib/core/ids.ts';
import { accept, type Accepted, type AcceptDeps } from '../../../lib/dispatch/accept.ts';
import { advance } from '../../../lib/dispatch/advance.ts';
import type { DispatchDeps } from '../../../lib/dispatch/deps.ts';
import { sweep, type SweepReport } from '../../../lib/dispatch/sweep/sweep.ts';
import type { SweepDeps } from '../../../lib/dispatch/sweep/sweep-deps.ts';
import type { Target } from '../../../lib/dispatch/targets.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import type { LifecycleEvent } from '../../../lib/outcome/schema.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { RunMessage } from '../../../lib/run/store/run-queue.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { eachOnce, recordIn } from '../world/simulated.ts';
import { createFakeClusters, type FakeClusters } from '../../fakes/clusters.ts';
import { NO_TASKS } from '../../../lib/outcome/task-callbacks.ts';
import { FakeDeployments } from '../../fakes/deployments.ts';
import { FakeDeadLetters } from '../../fakes/dead-letters.ts';
import { FakeEvidenceStore } from '../../fakes/evidence.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { FakeLocks } from '../../fakes/locks.ts';
import { FakePublisher } from '../../fakes/publisher.ts';
import { FakeRunQueue } from '../../fakes/run-queue.ts';
import { FakeSessionLeases } from '../../fakes/session-leases.ts';
import { FakeStateStorage } from '../../fakes/state-storage.ts';
import { MemoryObjects } from '../../job/jar/memory-objects.ts';
import { writeZip } from '../../job/jar/zip-writer.ts';
import { ManualClock } from './clock.ts';
import { Effects, type PlannedFault } from './effects.ts';
import { FakeFlink } from './fake-flink.ts';
import { FakeSessions } from './fake-sessions.ts';
import { logLine } from '../../fakes/log-line.ts';

const DEPLOYMENT = `
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults: { image: 'flink:2.3.0', flinkVersion: v2_3, serviceAccount: flink }
sessions: { small: { idleAfter: 5m } }
allow:
  images: ['flink:*']
  serviceAccounts: [flink]
  jarUriSchemes: [local, s3]
  jarBuckets: [jars]
  sessions: ['team-*']
  options: { allow: ['*'] }
`;

const MANIFEST = { name: 'META-INF/MANIFEST.MF', content: Buffer.from('Main-Class: a.B\n') };
const JAR = writeZip([{ ...MANIFEST, streamed: false, stored: true }]);

/** SQS shows a message again after this time when its function did not say that it is done. */
const VISIBILITY = 60_000;
const FUNCTION_TIME = 60_000;
const SWEEP_EVERY = 60_000;

export interface WorldOptions {
  readonly fault?: PlannedFault;
  /** How often each message is delivered. */
  readonly deliveries?: number;
  /** Messages of a function that crashed never come again. */
  readonly losesMessages?: boolean;
  readonly inlineWait?: number;
}

/** The whole product in memory, in time of its own. */
export class World {
  readonly clock = new ManualClock();
  readonly effects: Effects;
  readonly ledger = new FakeLedger();
  readonly deployments = new FakeDeployments();
  readonly runQueue = new FakeRunQueue(() => this.clock.now());
  readonly locks = new FakeLocks();
  readonly deadLetters = new FakeDeadLetters();
  readonly evidence = new FakeEvidenceStore();
  readonly publisher = new FakePublisher();
  readonly clusters: FakeClusters;
  readonly flink: FakeFlink;
  readonly sessions: FakeSessions;
  readonly leases = new FakeSessionLeases();
  readonly state = new FakeStateStorage();
  readonly logged: string[] = [];
  readonly accept: AcceptDeps;
  readonly dispatch: DispatchDeps;
  readonly sweeper: SweepDeps;
  private readonly options: WorldOptions;
  private again: { readonly at: number; readonly message: RunMessage }[] = [];

  constructor(options: WorldOptions = {}) {
    this.options = options;
    this.effects = new Effects(options.fault);
    this.clusters = createFakeClusters(this.clock);
    this.flink = new FakeFlink(this.clusters, this.clock, this.state);
    this.sessions = new FakeSessions(this.clusters, this.clock, this.flink.streams);
    const log: Log = { info: this.note, warn: this.note, error: this.note };
    const { effects } = this;
    const common = {
      ledger: effects.watch('ledger', this.ledger, 'StorageUnavailable'),
      deployments: effects.watch('deployments', this.deployments, 'StorageUnavailable'),
      runQueue: effects.watch('runQueue', this.runQueue, 'StorageUnavailable'),
      deadLetters: effects.watch('deadLetters', this.deadLetters, 'StorageUnavailable'),
      callbacks: NO_TASKS,
      eventContext: { source: '/flink-dispatch/test', ledgerBucket: 'ledger' },
      clock: this.clock,
      log,
    };
    const objects = new MemoryObjects().put('jars/job.jar', JAR);
    const storedJobs = storedJobsIn(objects, 'ledger');
    const prepare = { objects, storedJobs, deployment: parseDispatchConfig(DEPLOYMENT) };
    this.accept = {
      ...common,
      live: this.ledger,
      prepare,
      pin: (jar) => effects.run('pin', 'StorageUnavailable', () => Promise.resolve(jar)),
    };
    const target = this.target();
    this.dispatch = {
      ...common,
      locks: effects.watch('locks', this.locks, 'StorageUnavailable'),
      evidence: effects.watch('evidence', this.evidence, 'StorageUnavailable'),
      publisher: effects.watch('publisher', this.publisher, 'StorageUnavailable'),
      targets: () => effects.run('targets', 'ClusterUnavailable', () => Promise.resolve(target)),
      keepJar: () => Promise.resolve(),
      state: (uri) => effects.watch('state', this.state.storages(uri), 'StateStorageUnavailable'),
      deliver: ({ jar }) => effects.run('deliver', 'StorageUnavailable', () => Promise.resolve({ jarUri: jar.uri })),
      sessions: {
        leases: effects.watch('leases', this.leases, 'StorageUnavailable'),
        submitter: 'this process',
        jarBytes: () =>
          effects.run('jarBytes', 'StorageUnavailable', () => Promise.resolve(Payload.of(Buffer.from('PK')))),
      },
      inlineWait: options.inlineWait ?? 15_000,
    };
    const cursors: SweepDeps['cursors'] = { read: () => Promise.resolve({}), write: () => Promise.resolve() };
    this.sweeper = {
      ...this.dispatch,
      leases: this.dispatch.sessions.leases,
      live: effects.watch('live', this.ledger, 'StorageUnavailable'),
      index: effects.watch('index', this.ledger, 'StorageUnavailable'),
      cursors: cursors,
    };
  }

  /** As an event source: delivers again until it is told yes. */
  async request(request: RunRequest): Promise<Accepted> {
    for (let tries = 0; tries < 5; tries += 1) {
      this.effects.crashed = false;
      try {
        return await accept(request, this.accept);
      } catch (error) {
        if (!this.effects.struck) throw error;
        this.clock.time += VISIBILITY;
      }
    }
    throw new Error('the request was never accepted');
  }

  /** Delivers run messages, and sweeps when none is left, until every run is closed or time is over. */
  async drain(until = Infinity): Promise<void> {
    for (let rounds = 0; rounds < 1500; rounds += 1) {
      const due = this.takeDue();
      for (const message of due) await this.deliver(message);
      if (due.length > 0) continue;
      const next = this.nextAt() ?? (this.isQuiet() ? undefined : this.clock.now() + SWEEP_EVERY);
      if (next === undefined || next > until) {
        if (next !== undefined) this.clock.time = Math.max(this.clock.time, until);
        return;
      }
      const sweeps = this.nextAt() === undefined;
      this.clock.time = Math.max(this.clock.time, next);
      if (sweeps) await this.sweep();
    }
    throw new Error('the world does not come to rest');
  }

  async drainFor(ms: number): Promise<void> {
    await this.drain(this.clock.now() + ms);
  }

  async sweep(): Promise<SweepReport> {
    this.effects.crashed = false;
    const report = await sweep(['default'], this.sweeper, { most: 100, deadline: this.clock.now() + FUNCTION_TIME });
    this.effects.crashed = false;
    return report;
  }

  /** Takes the messages that are visible, and loses them. */
  loseMessages(): void {
    this.runQueue.due();
  }

  record(runId: RunId): RunRecord {
    return recordIn(this.ledger.records, runId);
  }

  /** Events of a run by id, the first of each; equal ids must be equal events. */
  events(runId: RunId): readonly LifecycleEvent[] {
    return eachOnce(
      this.publisher.published.map(({ event }) => event),
      runId,
    );
  }

  states(runId: RunId): readonly string[] {
    return this.events(runId).map(({ data }) => data.state);
  }

  /** Clusters that were ever created for the run, as `namespace/name#run-attempt`. */
  created(runId: RunId): readonly string[] {
    return this.clusters.created.filter((name) => name.includes(`#${runId}-`));
  }

  private target(): Target {
    const kubernetes = this.flink.kubernetes();
    const watched = this.effects.watch('clusters', kubernetes, 'ClusterUnavailable');
    return {
      cluster: watched,
      namespaces: ['flink'],
      jobManager: (ref) => {
        const jobManager = this.isSession(ref) ? this.sessions.jobManager(ref) : this.flink.jobManager(ref);
        return this.effects.watch('jobManager', jobManager, 'RestUnreachable');
      },
      application: (ref) => {
        const told = this.isSession(ref) ? this.sessions.jobManager(ref) : {};
        return this.effects.watch('jobManager', { ...this.flink.jobManager(ref), ...told }, 'RestUnreachable');
      },
      savepoints: (ref) =>
        this.effects.watch('savepoints', this.flink.streams.savepoints(ref.clusterId), 'RestUnreachable'),
      rescaling: () => {
        throw new Error('nothing is rescaled here');
      },
      session: (ref) => {
        const { jars, inspection } = this.sessions.session(ref);
        const watch = <T extends object>(port: string, it: T): T => this.effects.watch(port, it, 'RestUnreachable');
        return { jars: watch('jars', jars), inspection: watch('inspection', inspection) };
      },
    };
  }

  /** Run clusters alone begin a job of their own. */
  private isSession(ref: ClusterRef): boolean {
    return !this.flink.hasProgram(ref);
  }

  private readonly note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    this.logged.push(logLine(message, fields));
  };

  private takeDue(): readonly RunMessage[] {
    const now = this.clock.now();
    const again = this.again.filter(({ at }) => at <= now);
    this.again = this.again.filter(({ at }) => at > now);
    const fresh = this.runQueue
      .due()
      .flatMap((message) => Array<RunMessage>(this.options.deliveries ?? 1).fill(message));
    return [...again.map(({ message }) => message), ...fresh];
  }

  private nextAt(): number | undefined {
    const times = [this.runQueue.nextAt, ...this.again.map(({ at }) => at)].filter((at) => at !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  private isQuiet(): boolean {
    return this.ledger.records.every(({ state }) => state === 'closed');
  }

  private async deliver(message: RunMessage): Promise<void> {
    this.effects.crashed = false;
    let thrown = false;
    try {
      await advance(message, this.dispatch, this.clock.now() + FUNCTION_TIME);
    } catch (error) {
      if (!this.effects.struck) throw error;
      thrown = true;
    }
    const comesAgain = this.effects.crashed ? this.options.losesMessages !== true : thrown;
    if (comesAgain) this.again.push({ at: this.clock.now() + VISIBILITY, message });
    this.effects.crashed = false;
  }
}
