import type { Clock, Duration } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Payload } from '../core/payload.ts';
import type { Deliver } from '../delivery/delivery.ts';
import type { KeepJar } from '../job/jar/pin.ts';
import type { Jar } from '../job/job.ts';
import type { Deployments } from '../deployment/store/deployments.ts';
import type { EventContext } from '../outcome/event.ts';
import type { Publisher } from '../outcome/publisher.ts';
import type { TaskCallbacks } from '../outcome/task-callbacks.ts';
import type { DeadLetters } from '../run/store/dead-letters.ts';
import type { EvidenceStore, ReportStore } from '../run/store/evidence-store.ts';
import type { ArchiveStore } from '../run/store/history/archive-store.ts';
import type { SampleStore } from '../run/store/history/sample-store.ts';
import type { Ledger } from '../run/store/ledger.ts';
import type { Locks } from '../run/store/locks.ts';
import type { RunRecord } from '../run/record.ts';
import type { RunQueue } from '../run/store/run-queue.ts';
import type { SessionLeases } from '../run/session-lease.ts';
import type { StateStorages } from '../state/storage.ts';
import type { Targets } from './targets.ts';

/** What jobs in sessions need beside. */
export interface SessionDeps {
  readonly leases: SessionLeases;
  /** The bytes of a jar in S3, as they were when its run was accepted. */
  readonly jarBytes: (jar: Jar) => Promise<Payload>;
  /** Names this process: a submission that it wrote down is its own to carry out. */
  readonly submitter: string;
}

/** All that the orchestrators need of the outside. */
export interface DispatchDeps {
  readonly ledger: Ledger;
  readonly deployments: Deployments;
  readonly runQueue: RunQueue;
  readonly locks: Locks;
  readonly deadLetters: DeadLetters;
  readonly evidence: EvidenceStore & ReportStore;
  /** A run that has ended as one page of HTML, in which all that others said is text. */
  readonly reportOf: (run: RunRecord) => string;
  readonly samples: SampleStore;
  readonly archives: ArchiveStore;
  readonly publisher: Publisher;
  readonly callbacks: TaskCallbacks;
  readonly eventContext: EventContext;
  readonly targets: Targets;
  readonly deliver: Deliver;
  readonly keepJar: KeepJar;
  /** Where streams keep their state. */
  readonly state: StateStorages;
  readonly sessions: SessionDeps;
  readonly clock: Clock;
  readonly log: Log;
  /** `Steps`, `FailedSteps`, `RunsAbandoned`, and `RunsEnded` by outcome and reason. */
  readonly metrics?: Metrics;
  /** How long one invocation may wait by itself for looks that are less than a second apart. */
  readonly inlineWait: Duration;
}
