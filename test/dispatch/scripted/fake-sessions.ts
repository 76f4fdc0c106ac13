import type { Clock } from '../../../lib/core/clock.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import type { SessionAccess } from '../../../lib/dispatch/targets.ts';
import {
  ProgramFailed,
  type JarRun,
  type JobManager,
  type JobResult,
  type JobSummary,
  type RootException,
} from '../../../lib/flink/job-manager.ts';
import type { PlanNode } from '../../../lib/flink/plan/operators.ts';
import type { FakeStreams } from './fake-streams.ts';
import type { FakeClusters } from '../../fakes/clusters.ts';

/** How one job in a session goes, in milliseconds from its submission. */
export interface SessionJob {
  /** `undefined`: main() runs without failing. */
  readonly mainFails?: RootException;
  readonly runsAfter?: number;
  /** `undefined`: it goes on. */
  readonly endsAfter?: number;
  readonly end?: 'FINISHED' | 'FAILED';
  readonly result?: Omit<JobResult, 'answers'>;
}

interface Job extends SessionJob {
  readonly id: string;
  readonly submittedAt: number;
  canceledAt?: number;
}

interface Session {
  readonly uid: string;
  readonly startsAt: number;
  readonly jars: Map<string, string>;
  readonly jobs: Map<string, Job>;
}

const QUICK: SessionJob = { runsAfter: 300, endsAfter: 1500, end: 'FINISHED' };

/** JobManagers of the session clusters of a fake Kubernetes: each Deployment has its own jars and jobs. */
export class FakeSessions {
  /** By submission, from the first; the last one holds for all further ones. */
  jobs: readonly SessionJob[] = [QUICK];
  restAfter = 800;
  slotsAvailable = 0;
  configuration: Readonly<Record<string, string>> = {};
  /** Every main() that ran, as its job id. */
  readonly mains: string[] = [];
  /** Every job that Flink took, as `cluster/job id`. */
  readonly submitted: string[] = [];
  readonly requests: JarRun[] = [];
  readonly planned: JarRun[] = [];
  /** Of every main() of which a plan is made. */
  planFails: RootException | undefined;
  /** Of every program, chained or not. */
  nodes: readonly PlanNode[] = [];
  private readonly sessions = new Map<string, Session>();
  private readonly clusters: FakeClusters;
  private readonly streams: FakeStreams;
  private readonly clock: Clock;
  private jarIds = 0;

  constructor(clusters: FakeClusters, clock: Clock, streams: FakeStreams) {
    this.streams = streams;
    this.clusters = clusters;
    this.clock = clock;
  }

  jobManager(ref: ClusterRef): JobManager {
    return {
      overview: () => Promise.resolve().then(() => this.look(ref)),
      runtime: (jobId) => Promise.resolve({ jobId, type: 'STREAMING' }),
      result: (id) =>
        Promise.resolve().then(() => ({ ...this.answering(ref).jobs.get(id)?.result, answers: { '/jobs': {} } })),
      checkpoints: () =>
        Promise.resolve().then(() =>
          this.isOfRun(ref)
            ? this.streams.checkpoints(ref.clusterId)
            : { completedSinceRestore: 0, failed: 0, inProgress: 0 },
        ),
      cancel: (id) =>
        Promise.resolve().then(() => {
          const job = this.answering(ref).jobs.get(id);
          if (job !== undefined) job.canceledAt ??= this.clock.now();
        }),
    };
  }

  session(ref: ClusterRef): SessionAccess {
    const answer = <T>(work: (session: Session) => T): Promise<T> =>
      Promise.resolve().then(() => work(this.answering(ref)));
    return {
      inspection: { configuration: () => answer(() => this.configuration) },
      jars: {
        upload: (name) =>
          answer(({ jars }) => {
            this.jarIds += 1;
            const id = `${this.jarIds}_${name}`;
            jars.set(id, name);
            return id;
          }),
        run: (jarId, run) => answer((session) => this.run(session, ref, jarId, run)),
        plan: (jarId, run) => answer((session) => this.plan(session, jarId, run)),
        remove: (jarId) =>
          answer(({ jars }) => {
            if (!jars.delete(jarId)) throw new DispatchError('FlinkRefused', `File ${jarId} does not exist`);
          }),
        list: () => answer(({ jars }) => [...jars].map(([id, name]) => ({ id, name }))),
      },
    };
  }

  /** Somebody else's job. */
  addJob(ref: ClusterRef, id: string, job: SessionJob = {}): void {
    this.at(ref)?.jobs.set(id, { ...job, id, submittedAt: this.clock.now() });
  }

  addJar(ref: ClusterRef, id: string, name: string): void {
    this.at(ref)?.jars.set(id, name);
  }

  jarsOf(ref: ClusterRef): readonly string[] {
    return [...(this.at(ref)?.jars.values() ?? [])];
  }

  liveJobs(ref: ClusterRef): readonly string[] {
    return [...(this.at(ref)?.jobs.values() ?? [])]
      .filter((job) => this.summary(job, ref).endTime < 0)
      .map(({ id }) => id);
  }

  /** The JobManager comes again and knows nothing. */
  forget(ref: ClusterRef): void {
    this.sessions.delete(`${ref.namespace}/${ref.clusterId}`);
  }

  private plan({ jars }: Session, jarId: string, run: JarRun): readonly PlanNode[] {
    if (!jars.has(jarId)) throw new DispatchError('FlinkRefused', `Jar file ${jarId} does not exist (test)`);
    this.planned.push(run);
    if (this.planFails !== undefined) throw new ProgramFailed(this.planFails);
    return this.nodes;
  }

  private run(session: Session, ref: ClusterRef, jarId: string, run: JarRun): string {
    const id = run.jobId ?? '';
    if (!session.jars.has(jarId)) throw new DispatchError('RestUnreachable', `Jar file ${jarId} does not exist (test)`);
    this.requests.push(run);
    const job = this.jobs[this.mains.length] ?? this.jobs.at(-1) ?? QUICK;
    this.mains.push(id);
    if (job.mainFails !== undefined) throw new ProgramFailed(job.mainFails);
    if (session.jobs.has(id)) {
      const message =
        'org.apache.flink.runtime.client.DuplicateJobSubmissionException: Job has already been submitted.';
      throw new ProgramFailed({ message, stackTrace: message });
    }
    session.jobs.set(id, { ...job, id, submittedAt: this.clock.now() });
    if (this.isOfRun(ref)) this.streams.begin(ref.clusterId, id, run.savepointPath);
    this.submitted.push(`${ref.clusterId}/${id}`);
    return id;
  }

  private at(ref: ClusterRef): Session | undefined {
    const standing = this.clusters.standing(ref);
    if (standing === undefined) return undefined;
    const key = `${ref.namespace}/${ref.clusterId}`;
    const known = this.sessions.get(key);
    if (known?.uid === standing.uid) return known;
    const startsAt = standing.createdAt + this.restAfter;
    const session: Session = { uid: standing.uid, startsAt, jars: new Map(), jobs: new Map() };
    this.sessions.set(key, session);
    return session;
  }

  private answering(ref: ClusterRef): Session {
    const session = this.at(ref);
    if (session !== undefined && this.clock.now() >= session.startsAt) return session;
    throw new DispatchError('RestUnreachable', 'connection refused (test)');
  }

  /** A cluster that a run has for itself: its only job is a stream. */
  private isOfRun(ref: ClusterRef): boolean {
    return this.clusters.standing(ref)?.owner.kind === 'run';
  }

  private look(ref: ClusterRef): Awaited<ReturnType<JobManager['overview']>> {
    const jobs = [...this.answering(ref).jobs.values()].map((job) => this.summary(job, ref));
    return { flinkVersion: '2.3.0', taskManagers: 1, slotsTotal: 2, slotsAvailable: this.slotsAvailable, jobs };
  }

  private summary(job: Job, ref: ClusterRef): JobSummary {
    const now = this.clock.now();
    const { submittedAt, runsAfter = 0, endsAfter = Infinity, end = 'FINISHED', canceledAt = Infinity } = job;
    const stopped = this.isOfRun(ref) ? this.streams.endOf(ref.clusterId) : undefined;
    const endsAt = Math.min(submittedAt + endsAfter, canceledAt, stopped?.at ?? Infinity);
    const ended = now >= endsAt;
    return {
      id: job.id,
      name: 'job',
      state: !ended ? 'RUNNING' : canceledAt === endsAt ? 'CANCELED' : stopped?.at === endsAt ? stopped.state : end,
      startTime: submittedAt,
      endTime: ended ? endsAt : -1,
      duration: (ended ? endsAt : now) - submittedAt,
      tasks: !ended && now >= submittedAt + runsAfter ? { RUNNING: 1, TOTAL: 1 } : {},
    };
  }
}
