import { DispatchError } from '../../../lib/core/errors.ts';
import type { AcceptDeps } from '../../../lib/dispatch/accept.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import type { Jar } from '../../../lib/job/job.ts';
import type { QueueMessage } from '../../../lib/run/store/run-queue.ts';
import { FakeDeadLetters } from '../../fakes/dead-letters.ts';
import { FakeDeployments } from '../../fakes/deployments.ts';
import { Faults } from '../../fakes/faults.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { logLine } from '../../fakes/log-line.ts';
import { NOW } from '../../verdict/observations.ts';

const CONFIG = parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults: { image: 'flink:2.3.0', flinkVersion: v2_3, serviceAccount: flink }
allow:
  images: ['flink:*']
  serviceAccounts: [flink]
  jarUriSchemes: [local]
  options: { allow: ['*'] }
  taskTokens: true
`);

/** The outside of whoever accepts requests, in memory. */
export class Asking {
  now = NOW;
  readonly ledger = new FakeLedger();
  readonly deployments = new FakeDeployments();
  readonly deadLetters = new FakeDeadLetters();
  readonly faults = new Faults<'send' | 'pin'>();
  readonly sent: { readonly message: QueueMessage; readonly delay: number }[] = [];
  readonly told: string[] = [];
  readonly logged: string[] = [];
  /** Jars that were kept, and what is known of each then. */
  readonly pinned: Jar[] = [];
  pin: (jar: Jar) => Jar = (jar) => jar;

  get deps(): AcceptDeps {
    const { ledger, deployments, deadLetters } = this;
    const log = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
      this.logged.push(`${level} ${logLine(message, fields)}`);
    };
    const tell = (what: string) => (token: string) => {
      this.told.push(`${token} ${what}`);
      return Promise.resolve('heard' as const);
    };
    const fails = (reason: 'UnknownJob' | 'JarNotFound') => () => Promise.reject(new DispatchError(reason, 'no such'));
    const objects = {
      read: fails('JarNotFound'),
      head: () => Promise.resolve({ size: 1, eTag: 'e', metadata: {} }),
      text: () => Promise.resolve(undefined),
    };
    const storedJobs = { load: fails('UnknownJob'), mayName: () => true };
    return {
      ...{ ledger, deployments, deadLetters, live: ledger },
      runQueue: { send: (message, delay) => this.faults.around('send', () => void this.sent.push({ message, delay })) },
      callbacks: { complete: tell('complete'), heartbeat: tell('heartbeat') },
      eventContext: { source: '/test', ledgerBucket: 'ledger' },
      clock: { now: () => this.now, sleep: () => Promise.resolve() },
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      prepare: { objects, storedJobs, deployment: CONFIG },
      pin: (jar) =>
        this.faults.around('pin', () => {
          this.pinned.push(jar);
          return this.pin(jar);
        }),
    };
  }
}
