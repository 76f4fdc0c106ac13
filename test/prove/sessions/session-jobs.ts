import { DispatchError } from '../../../lib/core/errors.ts';
import type { JobSummary } from '../../../lib/flink/job-manager.ts';
import type { Program } from '../servers/flink.ts';
import type { Kubernetes } from '../servers/kubernetes.ts';
import type { Stored } from '../servers/kubernetes-objects.ts';
import type { SessionFacts } from './session-flink.ts';
import type { Failures, Simulation } from '../simulation.ts';

export const FLINK_FAILURES: Failures = {
  refused: () => new DispatchError('RestUnreachable', 'connection refused'),
  throttled: () => new DispatchError('RestUnreachable', 'status 503'),
  noAnswer: () => new DispatchError('RestUnreachable', 'no answer in time'),
};

/** One job that Flink took, over all JobManagers that ran it. */
export interface SessionJob {
  readonly jobId: string;
  readonly clusterId: string;
  /** A run's; else somebody submitted it by hand. */
  readonly ours: boolean;
  readonly program: Program;
  readonly submittedAt: number;
  process: SessionProcess;
  /** By this JobManager. */
  startedAt: number;
  canceledAt?: number;
  end?: 'FINISHED' | 'FAILED' | 'CANCELED';
  endedAt?: number;
}

/** One start of a session's JobManager. */
export interface SessionProcess {
  readonly clusterId: string;
  readonly name: string;
  readonly pod: Stored;
  readonly restarts: number;
  readonly startedAt: number;
  readonly restAfter: number;
  readonly jars: Map<string, { readonly name: string; readonly ours: boolean }>;
  /** Those that it shows. */
  readonly jobs: Map<string, SessionJob>;
  /** Ends that it remembers: no job of these ids is taken again. */
  readonly results: Set<string>;
  readonly lines: string[];
  mains: number;
}

/** What high availability keeps of a session, as long as its ConfigMap is there. */
interface Kept {
  readonly jobs: Set<SessionJob>;
  readonly results: Set<string>;
}

export function isAlive(kubernetes: Kubernetes, { pod, restarts }: SessionProcess): boolean {
  const { container, phase } = pod;
  return (
    kubernetes.exists(pod) && phase === 'Running' && container?.state === 'running' && container.restarts === restarts
  );
}

/** JobManagers of sessions as processes: they start, take jobs, end them, die, and recover what they kept. */
export class Processes {
  readonly jobs: SessionJob[] = [];
  onStart: (job: SessionJob) => void = () => undefined;
  onSubmit: (job: SessionJob) => void = () => undefined;
  onProcess: (process: SessionProcess) => void = () => undefined;
  private readonly byPod = new Map<string, SessionProcess>();
  private readonly kept = new Map<string, Kept>();
  private readonly sim: Simulation;
  private readonly kubernetes: Kubernetes;
  private readonly facts: SessionFacts;

  constructor(sim: Simulation, kubernetes: Kubernetes, facts: SessionFacts) {
    this.sim = sim;
    this.kubernetes = kubernetes;
    this.facts = facts;
    kubernetes.watchers.push({
      created: () => undefined,
      deleted: () => undefined,
      gone: ({ kind, name, labels }) => {
        if (kind === 'ConfigMap' && name === keeperOf(labels['app'] ?? '')) this.kept.delete(labels['app'] ?? '');
      },
    });
  }

  start(pod: Stored): void {
    const { sim } = this;
    const clusterId = pod.labels['app'] ?? '';
    const restarts = pod.container?.restarts ?? 0;
    const name = `${pod.name} ${pod.uid} ${restarts}`;
    const process: SessionProcess = {
      clusterId,
      name,
      pod,
      restarts,
      startedAt: sim.now,
      restAfter: sim.draws.between(`rest of ${name}`, 300, 4_000),
      jars: new Map(),
      jobs: new Map(),
      results: new Set(),
      lines: [],
      mains: 0,
    };
    this.byPod.set(pod.uid, process);
    sim.tell('flink', `the JobManager of session ${clusterId} starts on ${name}`);
    if (this.facts.hasHighAvailability(clusterId)) this.recover(process);
    if (sim.faults.at(`jobmanager ${name}`, ['jobmanager-killed'], 3) !== undefined) {
      sim.after(sim.draws.between(`trouble ${name}`, 1_000, 30_000), () => this.kill(process));
    }
    this.onProcess(process);
  }

  standing(clusterId: string): SessionProcess | undefined {
    return [...this.byPod.values()]
      .filter((process) => process.clusterId === clusterId && isAlive(this.kubernetes, process))
      .at(-1);
  }

  logOf(pod: Stored): string {
    const process = this.byPod.get(pod.uid);
    const works = 'INFO  org.apache.flink.runtime.dispatcher.StandaloneDispatcher [] - the JobManager works';
    // Other jobs have filled its end. What Flink has forgotten with high availability only its log still tells.
    const isFull = this.sim.draws.chance('sessions log much', 0.4);
    if (isFull && process !== undefined && !this.facts.hasHighAvailability(process.clusterId)) return works;
    return [works, ...(process?.lines ?? [])].join('\n');
  }

  /** Whether it would be a second submission to Flink, too. */
  isKnown(process: SessionProcess, jobId: string): boolean {
    const live = process.jobs.get(jobId);
    if (live !== undefined && live.end === undefined) return true;
    return process.results.has(jobId) || this.kept.get(process.clusterId)?.results.has(jobId) === true;
  }

  submit(process: SessionProcess, jobId: string, program: Program, ours: boolean): void {
    const { clusterId } = process;
    const at = this.sim.now;
    const job: SessionJob = { jobId, clusterId, ours, program, submittedAt: at, process, startedAt: at };
    this.jobs.push(job);
    this.kept.get(clusterId)?.jobs.add(job);
    this.sim.tell('flink', `takes job ${jobId} in ${process.name}`);
    this.onSubmit(job);
    this.run(process, job);
  }

  end(process: SessionProcess, job: SessionJob, end: NonNullable<SessionJob['end']>): void {
    if (job.process !== process || job.end !== undefined || !isAlive(this.kubernetes, process)) return;
    const { sim } = this;
    job.end = end;
    job.endedAt = sim.now;
    sim.tell('flink', `job ${job.jobId} is ${end} in ${process.name}`);
    process.lines.push(`INFO  ExecutionGraph - Job job (${job.jobId}) switched from state RUNNING to ${end}.`);
    this.keepResult(process, job);
    const trouble = sim.faults.at(`session job ${job.jobId}`, ['killed-after-end', 'job-forgotten'], 4);
    if (trouble === undefined) return;
    sim.after(sim.draws.between(`after the end of ${job.jobId}`, 0, 4_000), () => {
      // Old ends make room for new ones.
      if (trouble === 'job-forgotten') process.jobs.delete(job.jobId);
      else this.kill(process);
      sim.tell('flink', `${job.jobId} in ${process.name} ⚡${trouble}`);
    });
  }

  /** Runs, or will when a JobManager recovers it. */
  isLive(job: SessionJob): boolean {
    if (job.end !== undefined) return false;
    return isAlive(this.kubernetes, job.process) || this.kept.get(job.clusterId)?.jobs.has(job) === true;
  }

  isRunning(job: SessionJob): boolean {
    return job.end === undefined && isAlive(this.kubernetes, job.process);
  }

  /** Flink forgets an end that it has cleaned up after, unless it is told to keep it; in memory it keeps all. */
  private keepResult(process: SessionProcess, job: SessionJob): void {
    const kept = this.kept.get(process.clusterId);
    kept?.jobs.delete(job);
    if (kept === undefined) process.results.add(job.jobId);
    else if (this.facts.keepsResults(process.clusterId)) kept.results.add(job.jobId);
  }

  private kill(process: SessionProcess): void {
    if (!isAlive(this.kubernetes, process)) return;
    this.sim.tell('kubernetes', `the JobManager on ${process.name} is killed`);
    this.kubernetes.crash(process.pod, 137);
  }

  private recover(process: SessionProcess): void {
    const { clusterId, pod } = process;
    const name = keeperOf(clusterId);
    if (this.kubernetes.find('ConfigMap', name) === undefined) {
      const { namespace } = pod;
      const labels = { app: clusterId, type: 'flink-native-kubernetes', 'configmap-type': 'high-availability' };
      this.kubernetes.add({ kind: 'ConfigMap', metadata: { name, namespace, labels } }, 'flink');
    }
    const kept = this.kept.get(clusterId) ?? { jobs: new Set(), results: new Set() };
    this.kept.set(clusterId, kept);
    for (const job of kept.jobs) {
      this.sim.tell('flink', `recovers job ${job.jobId} in ${process.name}`);
      job.process = process;
      job.startedAt = this.sim.now;
      delete job.canceledAt;
      this.run(process, job);
    }
  }

  private run(process: SessionProcess, job: SessionJob): void {
    process.jobs.set(job.jobId, job);
    const { endsAfter, restAfter, end } = job.program;
    if (endsAfter !== undefined) this.sim.after(endsAfter - restAfter, () => this.end(process, job, end));
    this.onStart(job);
  }
}

function keeperOf(clusterId: string): string {
  return `${clusterId}-cluster-config-map`;
}

export function summaryOf(job: SessionJob, now: number): JobSummary {
  const { restAfter, runsAfter } = job.program;
  const runs = runsAfter !== undefined && now - job.startedAt >= runsAfter - restAfter;
  const startTime = Math.round(job.startedAt);
  const endTime = job.endedAt === undefined ? -1 : Math.round(job.endedAt);
  return {
    id: job.jobId,
    name: 'job',
    state: job.end ?? 'RUNNING',
    startTime,
    endTime,
    duration: Math.max(0, (endTime === -1 ? Math.round(now) : endTime) - startTime),
    tasks: job.end !== undefined ? {} : runs ? { RUNNING: 1 } : { SCHEDULED: 1 },
  };
}
