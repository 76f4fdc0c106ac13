import type { DispatchDeps } from '../../../lib/dispatch/deps.ts';
import type { Target } from '../../../lib/dispatch/targets.ts';
import type { JobSummary } from '../../../lib/flink/job-manager.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { QueueMessage } from '../../../lib/run/store/run-queue.ts';
import { createFakeClusters } from '../../fakes/clusters.ts';
import { fakeHistory } from '../../fakes/history.ts';
import { FakeDeadLetters } from '../../fakes/dead-letters.ts';
import { FakeDeployments } from '../../fakes/deployments.ts';
import { FakeEvidenceStore } from '../../fakes/evidence.ts';
import { Faults } from '../../fakes/faults.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { FakeLocks } from '../../fakes/locks.ts';
import { logLine } from '../../fakes/log-line.ts';
import { FakePublisher } from '../../fakes/publisher.ts';
import { fakeSessions } from '../../fakes/session-leases.ts';
import { FakeStateStorage } from '../../fakes/state-storage.ts';
import { NOW } from '../../verdict/observations.ts';

/** The outside of one step, in memory: nothing of it happens by itself. */
export class Stepping {
  now = NOW;
  inlineWait = 100;
  readonly ledger = new FakeLedger();
  readonly deployments = new FakeDeployments();
  readonly locks = new FakeLocks();
  readonly deadLetters = new FakeDeadLetters();
  readonly evidence = new FakeEvidenceStore();
  readonly publisher = new FakePublisher();
  readonly storage = new FakeStateStorage();
  readonly sessions = fakeSessions();
  readonly clusters = createFakeClusters({ now: () => this.now });
  readonly faults = new Faults<'send' | 'target' | 'keepJar' | 'report' | 'overview' | 'cancel'>();
  readonly sent: { readonly message: QueueMessage; readonly delay: number }[] = [];
  readonly logged: string[] = [];
  readonly counted: string[] = [];
  readonly slept: number[] = [];
  readonly kept: unknown[] = [];
  readonly canceled: string[] = [];
  jobs: readonly JobSummary[] = [];

  get deps(): DispatchDeps {
    const log = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
      this.logged.push(`${level} ${logLine(message, fields)}`);
    };
    const heard = () => Promise.resolve('heard' as const);
    const { ledger, deployments, locks, deadLetters, evidence, publisher, sessions } = this;
    return {
      ...{ ledger, deployments, locks, deadLetters, evidence, publisher, sessions },
      state: this.storage.storages,
      runQueue: { send: (message, delay) => this.faults.around('send', () => void this.sent.push({ message, delay })) },
      ...fakeHistory(),
      reportOf: ({ runId, report }) => `<p>${runId} ${report ?? ''}</p>`,
      callbacks: { complete: heard, heartbeat: heard },
      eventContext: { source: '/test', ledgerBucket: 'ledger' },
      targets: () => this.faults.around('target', () => this.target),
      deliver: () => Promise.resolve({ jarUri: 'https://jars.invalid/job.jar' }),
      keepJar: (pinned) => this.faults.around('keepJar', () => void this.kept.push(pinned)),
      clock: {
        now: () => this.now,
        sleep: (ms) => {
          this.slept.push(ms);
          this.now += ms;
          return Promise.resolve();
        },
      },
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      metrics: {
        add: (name, value, dimensions) => {
          this.counted.push([name, value, ...(dimensions === undefined ? [] : [JSON.stringify(dimensions)])].join(' '));
        },
      },
      inlineWait: this.inlineWait,
    };
  }

  get target(): Target {
    const jobManager = () => ({
      overview: () => this.faults.around('overview', () => ({ jobs: this.jobs })),
      cancel: (id: string) => this.faults.around('cancel', () => void this.canceled.push(id)),
    });
    return { cluster: this.clusters, namespaces: ['flink'], jobManager, application: jobManager } as unknown as Target;
  }

  /** As it is stored now. */
  async stored({ runId }: Pick<RunRecord, 'runId'>): Promise<RunRecord> {
    const known = await this.ledger.read(runId);
    if (known === undefined) throw new Error('no record');
    return known.value;
  }

  /** Somebody else writes it. */
  async change(record: RunRecord): Promise<void> {
    const known = await this.ledger.read(record.runId);
    await this.ledger.replace(record, known?.version ?? '');
  }
}
