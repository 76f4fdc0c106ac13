import { DispatchError } from '../../../lib/core/errors.ts';
import { sha256Hex } from '../../../lib/core/ids.ts';
import type { Clock } from '../../../lib/core/clock.ts';
import type { ClusterRef, EventFacts, PodFacts } from '../../../lib/kubernetes/cluster/port.ts';
import type { FlinkCluster } from '../../../lib/flink/cluster.ts';
import type {
  ApplicationManager,
  ApplicationSummary,
  JobManagerFacts,
  JobResult,
  JobRuntime,
  JobSummary,
} from '../../../lib/flink/job-manager.ts';
import { isTerminal } from '../../../lib/flink/job-state.ts';
import type { FakeClusters } from '../../fakes/clusters.ts';
import type { FakeStateStorage } from '../../fakes/state-storage.ts';
import { FakeStreams } from './fake-streams.ts';

/** How one attempt goes, in milliseconds from the creation of its cluster. */
interface Behaviour {
  /** When REST answers; `undefined`: never. */
  readonly restAfter?: number;
  readonly runsAfter?: number;
  /** When the job is there and waits for slots; default: it runs at once. */
  readonly waitsAfter?: number;
  /** When the job ends by itself; `undefined`: it goes on. */
  readonly endsAfter?: number;
  readonly end?: 'FINISHED' | 'FAILED' | 'CANCELED';
  readonly result?: Omit<JobResult, 'answers'>;
  /** Pods and events instead of healthy ones. */
  readonly pods?: (ref: ClusterRef, createdAt: number) => readonly PodFacts[];
  readonly events?: readonly EventFacts[];
  readonly log?: (pod: string) => string;
  /** What is kept of the REST answers. */
  readonly answers?: JobResult['answers'];
  /** Whether a request to cancel is heard. */
  readonly deafToCancel?: boolean;
  /** While its tasks are being begun anew. */
  readonly rescales?: { readonly from: number; readonly to: number };
  /** What Flink says of how it runs the job. */
  readonly runtime?: Omit<JobRuntime, 'jobId'>;
}

const HEALTHY: Behaviour = { restAfter: 600, runsAfter: 1100, endsAfter: 2100, end: 'FINISHED' };

interface Program {
  readonly jobId: string;
  canceledAt?: number;
}

/** Plays what Flink does on the clusters of the fake Kubernetes. */
export class FakeFlink {
  /** By attempt, from 1; the last one holds for all further attempts. */
  behaviours: readonly Behaviour[] = [HEALTHY];
  readonly cancels: string[] = [];
  /** Clusters whose JobManager's container has been started a second time. */
  readonly restarted = new Set<string>();
  private readonly programs = new Map<string, Program>();
  private readonly clusters: FakeClusters;
  private readonly clock: Clock;
  readonly streams: FakeStreams;

  constructor(clusters: FakeClusters, clock: Clock, state: FakeStateStorage) {
    this.streams = new FakeStreams(state, clock);
    this.clusters = clusters;
    this.clock = clock;
  }

  /** Clusters whose pods follow the clock. */
  kubernetes(): FakeClusters {
    const { clusters } = this;
    return {
      ...clusters,
      apply: async (cluster, owner, mayStart) => {
        const result = await clusters.apply(cluster, owner, mayStart);
        // A session begins without a program.
        if (owner.kind === 'run' && cluster.configuration['execution.target'] !== 'kubernetes-session')
          this.begin(cluster);
        return result;
      },
      observe: (ref) => {
        this.tick(ref);
        return clusters.observe(ref);
      },
    };
  }

  jobManager(ref: ClusterRef): ApplicationManager {
    return {
      mainThread: () => Promise.resolve(undefined),
      exception: () => Promise.resolve(undefined),
      restarts: () => Promise.resolve(0),
      overview: () => Promise.resolve().then(() => this.look(ref)),
      runtime: (jobId) => Promise.resolve({ jobId, ...this.behaviour(ref).runtime }),
      result: () =>
        Promise.resolve({ ...this.behaviour(ref).result, answers: this.behaviour(ref).answers ?? { '/jobs': {} } }),
      checkpoints: () => Promise.resolve().then(() => this.streams.checkpoints(ref.clusterId)),
      cancel: (jobId) => {
        this.cancels.push(jobId);
        const program = this.programs.get(ref.clusterId);
        if (program !== undefined && this.behaviour(ref).deafToCancel !== true) {
          program.canceledAt ??= this.clock.now();
        }
        return Promise.resolve();
      },
    };
  }

  hasProgram(ref: ClusterRef): boolean {
    return this.programs.has(ref.clusterId);
  }

  private begin(cluster: FlinkCluster): void {
    const fixed = cluster.configuration['$internal.pipeline.job-id'];
    const jobId = typeof fixed === 'string' ? fixed : sha256Hex(cluster.clusterId).slice(0, 32);
    if (this.programs.has(cluster.clusterId)) return;
    this.programs.set(cluster.clusterId, { jobId });
    const restored = cluster.configuration['execution.state-recovery.path'];
    this.streams.begin(cluster.clusterId, jobId, typeof restored === 'string' ? restored : undefined);
  }

  private behaviour(ref: ClusterRef): Behaviour {
    const owner = this.clusters.standing(ref)?.owner;
    const attempt = owner?.kind === 'run' ? owner.attempt : 1;
    return this.behaviours[attempt - 1] ?? this.behaviours.at(-1) ?? HEALTHY;
  }

  private tick(ref: ClusterRef): void {
    const standing = this.clusters.standing(ref);
    if (standing === undefined) return;
    const { pods = healthyPods, events = [], log = (pod: string) => `log of ${pod}\n` } = this.behaviour(ref);
    standing.pods = pods(ref, standing.createdAt).map((pod) =>
      pod.component !== 'jobmanager' || !this.restarted.has(ref.clusterId)
        ? pod
        : { ...pod, containers: pod.containers.map((container) => ({ ...container, restartCount: 1 })) },
    );
    standing.events = events;
    for (const pod of standing.pods) this.clusters.setLog(pod.name, 'flink-main-container', log(pod.name));
  }

  private look(ref: ClusterRef): JobManagerFacts {
    const standing = this.clusters.standing(ref);
    const { restAfter } = this.behaviour(ref);
    const now = this.clock.now();
    if (standing === undefined || restAfter === undefined || now < standing.createdAt + restAfter) {
      throw new DispatchError('RestUnreachable', 'connection refused (test)');
    }
    const job = this.job(ref, standing.createdAt, now);
    return {
      flinkVersion: '2.3.0',
      taskManagers: 1,
      slotsTotal: 1,
      slotsAvailable: 0,
      jobs: job === undefined ? [] : [job],
      applications: applicationsOf(job === undefined ? [] : [job]),
    };
  }

  private job(ref: ClusterRef, createdAt: number, now: number): JobSummary | undefined {
    const program = this.programs.get(ref.clusterId);
    const behaviour = this.behaviour(ref);
    const { runsAfter = Infinity, waitsAfter = runsAfter, endsAfter = Infinity, end = 'FINISHED' } = behaviour;
    if (program === undefined || now < createdAt + waitsAfter) return undefined;
    const stopped = this.streams.endOf(ref.clusterId);
    const endsAt = Math.min(createdAt + endsAfter, program.canceledAt ?? Infinity, stopped?.at ?? Infinity);
    const ended = now >= endsAt;
    const state = ended ? endOf(endsAt, end, program, stopped) : 'RUNNING';
    const startTime = createdAt + waitsAfter;
    return {
      id: program.jobId,
      name: 'job',
      state,
      startTime,
      endTime: ended ? endsAt : -1,
      duration: (ended ? endsAt : now) - startTime,
      tasks: ended ? {} : tasksAt(now - createdAt, behaviour),
    };
  }
}

function tasksAt(age: number, { runsAfter = Infinity, rescales }: Behaviour): Readonly<Record<string, number>> {
  if (age < runsAfter) return { SCHEDULED: 1, TOTAL: 1 };
  const isRescaled = rescales !== undefined && age >= rescales.from && age < rescales.to;
  return isRescaled ? { RUNNING: 1, INITIALIZING: 1, TOTAL: 2 } : { RUNNING: 1, TOTAL: 1 };
}

function endOf(
  at: number,
  byItself: NonNullable<Behaviour['end']>,
  { canceledAt }: Program,
  stopped: ReturnType<FakeStreams['endOf']>,
): NonNullable<Behaviour['end']> {
  if (canceledAt === at) return 'CANCELED';
  return stopped?.at === at ? stopped.state : byItself;
}

/** As Flink sums up a main() that lets its job's failure through. */
function applicationsOf(jobs: readonly JobSummary[]): readonly ApplicationSummary[] {
  const [job] = jobs;
  const status = job !== undefined && isTerminal(job.state) ? job.state : 'RUNNING';
  return [{ id: 'a'.repeat(32), name: 'main', status, endTime: job?.endTime ?? -1 }];
}

function healthyPods(ref: ClusterRef, createdAt: number): readonly PodFacts[] {
  const pod = (name: string, component: PodFacts['component']): PodFacts => ({
    name,
    uid: `uid-of-${name}`,
    component,
    phase: 'Running',
    createdAt,
    deleting: false,
    ready: true,
    containers: [
      {
        name: 'flink-main-container',
        init: false,
        image: 'flink:2.3.0',
        ready: true,
        restartCount: 0,
        state: 'running',
        startedAt: createdAt,
      },
    ],
  });
  return [pod(`${ref.clusterId}-x`, 'jobmanager'), pod(`${ref.clusterId}-taskmanager-1-1`, 'taskmanager')];
}
