import { clusterIdFor, runIdFor, type ClusterId } from '../../../lib/core/ids.ts';
import type { SweepDeps } from '../../../lib/dispatch/sweep/sweep-deps.ts';
import type { Target } from '../../../lib/dispatch/targets.ts';
import type { JobState } from '../../../lib/flink/job-state.ts';
import type {
  ClusterRef,
  KubernetesFacts,
  OwnedCluster,
  Owner,
  Removal,
} from '../../../lib/kubernetes/cluster/port.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { QueueMessage } from '../../../lib/run/store/run-queue.ts';
import type { LivePage, LiveRun, SweepCursor } from '../../../lib/run/store/live-runs.ts';
import { FakeDeployments } from '../../fakes/deployments.ts';
import { Faults } from '../../fakes/faults.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { logLine } from '../../fakes/log-line.ts';
import { fakeSessions } from '../../fakes/session-leases.ts';
import { NOW, runIn } from '../../verdict/observations.ts';

export const MINUTE = 60_000;

type Method = 'mend' | 'fold' | 'places' | 'place' | 'send';

/** What a sweeper finds, in memory, and all that it does. */
export class Swept {
  now = NOW;
  readonly ledger = new FakeLedger();
  readonly deployments = new FakeDeployments();
  readonly leases = fakeSessions().leases;
  readonly faults = new Faults<Method>();
  readonly logged: string[] = [];
  /** Messages, rows and markers that were changed, in order. */
  readonly done: string[] = [];
  readonly sent: { readonly message: QueueMessage; readonly delay: number }[] = [];

  markers: LiveRun[] = [];
  readonly pages: LivePage[] = [];
  /** Milliseconds that a page of runs takes. */
  pageTakes = 0;
  /** Whether a row was behind. */
  mends = false;
  folded = 0;
  from: SweepCursor = {};
  readonly places: SweepCursor[] = [];
  readonly clusters = new Map<string, FoundClusters>();

  get deps(): SweepDeps {
    const { ledger, deployments, leases } = this;
    const log = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
      this.logged.push(`${level} ${logLine(message, fields)}`);
    };
    const does = (what: string): Promise<void> => Promise.resolve(void this.done.push(what));
    return {
      ...{ ledger, deployments, leases },
      clock: { now: () => this.now, sleep: () => Promise.resolve() },
      eventContext: { source: '/test', ledgerBucket: 'ledger' },
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      runQueue: {
        send: (message, delay) => this.faults.around('send', () => void this.sent.push({ message, delay })),
      },
      live: {
        list: (page) => this.list(page),
        forget: ({ place }) => does(`forget ${place}`),
        mend: ({ place }, { state }) =>
          this.faults.around('mend', () => {
            this.done.push(`mend ${place} ${state}`);
            return this.mends;
          }),
      },
      index: {
        keep: ({ runId }) => does(`keep ${runId}`),
        fold: () =>
          this.faults.around('fold', () => {
            this.done.push('fold');
            return this.folded;
          }),
      },
      cursors: {
        read: () => this.faults.around('places', () => this.from),
        write: (place) => this.faults.around('place', () => void this.places.push(place)),
      },
      targets: (name) => {
        const found = this.clusters.get(name);
        return found === undefined ? Promise.reject(new Error(`no ${name}`)) : Promise.resolve(found.target);
      },
    };
  }

  /** A marker, and its record where one is given. */
  async mark(place: string, record?: RunRecord): Promise<LiveRun> {
    const marker = { runId: runIdFor(place), place, markedAt: this.now, version: 'v', rows: [] };
    this.markers.push(marker);
    if (record !== undefined) await this.ledger.create({ ...record, runId: marker.runId });
    return marker;
  }

  private async list(page: LivePage): Promise<readonly LiveRun[]> {
    this.pages.push(page);
    this.now += this.pageTakes;
    return this.ledger.faults.around('list', () => {
      const behind = this.markers.filter(({ place }) => place > (page.after ?? ''));
      return behind.sort((a, b) => (a.place < b.place ? -1 : 1)).slice(0, page.limit);
    });
  }
}

/** The clusters of one target. */
export class FoundClusters {
  readonly faults = new Faults<'list' | 'overview' | 'remains'>();
  standing: OwnedCluster[] = [];
  readonly removed: { readonly ref: ClusterRef; readonly what: Removal | undefined }[] = [];
  /** Whether what was removed is gone at once. */
  goes = true;
  listTakes = 0;
  removalTakes = 0;
  jobs: readonly JobState[] = [];
  facts: KubernetesFacts = { deployment: { state: 'absent' }, pods: [], events: [] };
  private readonly swept: Swept;
  private readonly namespaces: readonly string[];

  constructor(swept: Swept, name: string, namespaces: readonly string[] = ['flink']) {
    this.swept = swept;
    this.namespaces = namespaces;
    swept.clusters.set(name, this);
  }

  /** Made so long ago; the cluster of that run's first attempt where no owner is named. */
  add(name: string, age: number, owner: Owner = runOwner(name), namespace = 'flink'): OwnedCluster {
    const cluster = {
      namespace,
      clusterId: clusterOf(name),
      uid: `uid-${name}`,
      owner,
      createdAt: this.swept.now - age,
    };
    this.standing.push(cluster);
    return cluster;
  }

  get target(): Target {
    const { namespaces } = this;
    const cluster = {
      list: (namespace: string) =>
        this.faults.around('list', () => {
          this.swept.now += this.listTakes;
          return this.standing.filter((it) => it.namespace === namespace);
        }),
      remove: (ref: ClusterRef, what?: Removal) => {
        this.swept.now += this.removalTakes;
        this.removed.push({ ref, what });
        if (this.goes) this.standing = this.standing.filter(({ clusterId }) => clusterId !== ref.clusterId);
        return Promise.resolve();
      },
      remains: ({ clusterId }: ClusterRef) =>
        this.faults.around('remains', () => {
          return this.standing.some((it) => it.clusterId === clusterId) ? [`Deployment/${clusterId}`] : [];
        }),
      observe: () => Promise.resolve(this.facts),
    };
    const overview = () => this.faults.around('overview', () => ({ jobs: this.jobs.map((state) => ({ state })) }));
    return { cluster, namespaces, jobManager: () => ({ overview }) } as unknown as Target;
  }
}

export function runOwner(name: string, ledger = 'ledger'): Owner {
  return { kind: 'run', runId: runIdFor(name), attempt: 1, ledger };
}

export function clusterOf(name: string): ClusterId {
  return clusterIdFor(name, runIdFor(name), 1);
}

/** The run of that cluster, in its first attempt. */
export function runOf(name: string, state: 'launching' | 'closed' = 'launching'): RunRecord {
  const run = runIn(state, MINUTE);
  const attempts = [{ ...run.attempts[0], clusterId: clusterOf(name) }];
  return { ...run, runId: runIdFor(name), attempts } as RunRecord;
}
