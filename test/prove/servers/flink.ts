import type { V1ConfigMap } from '@kubernetes/client-node';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import { sha256Hex } from '../../../lib/core/ids.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type {
  ApplicationManager,
  JobCheckpoints,
  JobManagerFacts,
  JobResult,
  JobRuntime,
  JobSummary,
  MainThread,
  Rescaling,
  RootException,
  Savepoints,
} from '../../../lib/flink/job-manager.ts';
import type { JobHistory } from '../../../lib/flink/job-history.ts';
import { flinkHistory } from '../history/flink-history.ts';
import type { StreamJob } from '../streams/stream-job.ts';
import type { FaultKind } from '../faults.ts';
import type { Kubernetes } from './kubernetes.ts';
import { beginsWithoutProgram, PreparedManagers, type Held } from './prepared.ts';
import type { Stored } from './kubernetes-objects.ts';
import { isSlow, type Failures, type Invocation, type Simulation } from '../simulation.ts';

const READ: readonly FaultKind[] = ['refused', 'lost', 'slow', 'crash-before', 'crash-after'];

const FAILURES: Failures = {
  refused: () => new DispatchError('RestUnreachable', 'connection refused'),
  throttled: () => new DispatchError('RestUnreachable', 'status 503'),
  noAnswer: () => new DispatchError('RestUnreachable', 'no answer within 10000 ms'),
};

/** How a program goes, when nothing disturbs it; milliseconds from the start of its JobManager. */
export interface Program {
  readonly restAfter: number;
  /** Absent: its tasks never run. */
  readonly runsAfter?: number;
  /** Absent: it goes on for ever. */
  readonly endsAfter?: number;
  readonly end: 'FINISHED' | 'FAILED';
  /** Its jobs are of the type BATCH, else STREAMING. */
  readonly batchMode?: boolean;
  /** Its JobManager ends with this code instead, before its REST endpoint answers. */
  readonly crashes?: number;
  /** Of its first job, in place of what most jobs have. */
  readonly result?: Partial<JobResult>;
  /** Does not tell whether its jobs are of the type BATCH. */
  readonly untyped?: boolean;
  /** In place of the lines that Flink would write. */
  readonly log?: string;
  /** main() fails before it submits a job. */
  readonly mainFails?: boolean;
  /** What a session then says of it. */
  readonly threw?: RootException;
  readonly deafToCancel?: boolean;
  /** What main() does beside its first job; default: nothing. */
  readonly main?: MainProgram;
  /** A Flink before 2.3 lists no applications, and a JobManager whose main() threw ends itself. */
  readonly older?: boolean;
  /** Its log has neither how jobs go on nor how main() ended. */
  readonly quiet?: boolean;
  /** Between these times its job begins some of its tasks anew. */
  readonly restartsTasks?: readonly [number, number];
  /** How often its job was begun anew, by the time that somebody asks; default: never. */
  readonly restarts?: number;
  /** Of its jobs, in milliseconds; default: a minute; `Infinity`: they take no checkpoints. */
  readonly checkpointInterval?: number;
}

/** Its JobManager ends before it has said anything of a job. */
export const CRASHES: Program = {
  restAfter: 600,
  end: 'FAILED',
  crashes: 239,
  log: 'INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint - Starting KubernetesApplicationClusterEntrypoint.\n',
};

export interface MainProgram {
  /** Jobs after the first, one after another. */
  readonly more: number;
  /** Milliseconds of main() before each further job, and after the last. */
  readonly pause: number;
  /** The last of them fails, which main() catches. */
  readonly catches?: boolean;
  readonly then: 'returns' | 'throws' | 'exits with 0' | 'exits with 3' | 'hangs';
}

export type End = 'FINISHED' | 'FAILED' | 'CANCELED';

interface Job {
  readonly id: string;
  readonly startedAt: number;
  end?: End;
  endedAt?: number;
  canceled?: boolean;
}

/** One start of main() by one JobManager. */
export interface Execution {
  readonly clusterId: string;
  /** Fixed with high availability, else empty. */
  readonly fixedId: string;
  readonly pod: string;
  readonly startedAt: number;
  readonly jobs: Job[];
  canceledAt?: number;
  /** Of the application: of main() and all its jobs. */
  endedAt?: number;
  end?: End;
  /** What main() threw. */
  threw?: string;
  forgotten?: boolean;
  /** Its JobManager waits for a TaskManager that the quota refuses. */
  lacksTaskManager?: boolean;
  /** Its JobManager began without a program. */
  readonly held?: Held;
}

/** A JobManager that answers. */
export interface Standing {
  readonly pod: Stored;
  readonly execution: Execution;
}

/** What Flink truly did, which no fault of a request hides. */
export class Flink {
  readonly executions: Execution[] = [];
  /** Of the run that a cluster belongs to. */
  programOf: (clusterId: string) => Program = () => ({
    restAfter: 600,
    runsAfter: 1_200,
    endsAfter: 3_000,
    end: 'FINISHED',
  });
  onStart: (execution: Execution) => void = () => undefined;
  onEnd: (execution: Execution) => void = () => undefined;
  onJobFinished: (execution: Execution) => void = () => undefined;
  /** The quota lets no TaskManager in. */
  onRefused: (execution: Execution) => void = () => undefined;
  /** JobManagers that are handed their program. */
  readonly prepared: PreparedManagers;
  private readonly running = new Map<string, Execution>();
  private readonly sim: Simulation;
  private readonly kubernetes: Kubernetes;

  constructor(sim: Simulation, kubernetes: Kubernetes) {
    this.sim = sim;
    this.kubernetes = kubernetes;
    this.prepared = new PreparedManagers(sim, kubernetes, this);
    kubernetes.onStart = (pod) => this.start(pod);
    kubernetes.logOf = (pod, previous) => (previous ? (pod.container?.previousLog ?? '') : this.log(pod));
  }

  jobManager(invocation: Invocation, ref: ClusterRef): ApplicationManager {
    const ask = <T>(verb: string, act: () => T): Promise<T> =>
      this.sim.effect(invocation, {
        what: `flink ${verb} ${ref.clusterId}`,
        act,
        kinds: verb === 'cancel' ? [...READ, 'late'] : READ,
        failures: FAILURES,
        latency: [4, 80],
      });
    return {
      overview: () => ask('look', () => this.look(ref)),
      runtime: (jobId) => ask('runtime', () => this.runtime(ref, jobId)),
      result: () =>
        ask('result', () => ({ answers: {}, accumulators: { records: '7' }, ...this.programOf(ref.clusterId).result })),
      checkpoints: () => ask('checkpoints', () => this.checkpoints(ref)),
      cancel: (jobId) => ask('cancel', () => this.cancel(ref, jobId)),
      restarts: () => ask('restarts', () => this.programOf(ref.clusterId).restarts ?? 0),
      mainThread: () => ask('main', () => this.mainThread(ref)),
      exception: () => ask('exception', () => this.exception(ref)),
    };
  }

  savepoints(invocation: Invocation, ref: ClusterRef): Savepoints {
    const ask = <T>(verb: string, kinds: readonly FaultKind[], act: () => T): Promise<T> =>
      this.sim.effect(invocation, {
        ...{ what: `flink ${verb} ${ref.clusterId}`, act, kinds, failures: FAILURES, latency: [4, 80] },
      });
    const change = [...READ, 'late', 'resent'] as const;
    return {
      dispose: () => {
        throw new Error('nothing is disposed of by Flink');
      },
      trigger: (jobId, request) =>
        ask('savepoint-trigger', change, () => this.goingOn(ref, jobId).trigger(jobId, request)),
      checkpoint: (jobId, request) =>
        ask('checkpoint-trigger', change, () => this.goingOn(ref, jobId).checkpoint(jobId, request)),
      stop: (jobId, request) => ask('stop', change, () => this.goingOn(ref, jobId).stop(jobId, request)),
      status: ({ triggerId }) => ask('savepoint', READ, () => this.answering(ref).stream.status(triggerId)),
    };
  }

  rescaling(invocation: Invocation, ref: ClusterRef): Rescaling {
    const ask = <T>(verb: string, kinds: readonly FaultKind[], act: () => T): Promise<T> =>
      this.sim.effect(invocation, {
        ...{ what: `flink ${verb} ${ref.clusterId}`, act, kinds, failures: FAILURES, latency: [4, 80] },
      });
    return {
      vertices: (jobId) => ask('vertices', READ, () => this.goingOn(ref, jobId).rescaling.vertices()),
      requirements: (jobId) => ask('requirements', READ, () => this.goingOn(ref, jobId).rescaling.requirements()),
      load: (jobId, id) => ask('load', READ, () => this.goingOn(ref, jobId).load(id)),
      require: (jobId, wanted) => ask('require', [...READ, 'late'], () => this.goingOn(ref, jobId).require(wanted)),
    };
  }

  history(invocation: Invocation, ref: ClusterRef): JobHistory {
    return flinkHistory(this.sim, { invocation, ref, jobs: () => this.look(ref).jobs });
  }

  /** What is done to the state of a job, where it has one. */
  streamOf: (clusterId: string, execution: Execution) => StreamJob | undefined = () => undefined;
  private readonly streams = new Map<Execution, StreamJob>();

  /** The job of a stream that a JobManager has. */
  streamOn(ref: ClusterRef): StreamJob | undefined {
    const found = this.standing(ref);
    return found && this.streams.get(found.execution);
  }

  private checkpoints(ref: ClusterRef): JobCheckpoints {
    const stream = this.streamOn(ref);
    return stream === undefined ? { completedSinceRestore: 0, failed: 0, inProgress: 0 } : stream.checkpoints();
  }

  private answering(ref: ClusterRef): Standing & { readonly stream: StreamJob } {
    const found = this.standing(ref);
    const stream = found && this.streams.get(found.execution);
    if (found === undefined || stream === undefined || this.isSilent(found.execution))
      throw new DispatchError('RestUnreachable', 'connection refused');
    return { ...found, stream };
  }

  private goingOn(ref: ClusterRef, jobId: string): StreamJob {
    const { execution, stream } = this.answering(ref);
    const job = execution.jobs.find(({ id }) => id === jobId);
    if (job === undefined || execution.forgotten === true) throw new DispatchError('JobNotFound', 'no such job');
    if (job.end !== undefined || job.canceled === true)
      throw new DispatchError('RestUnreachable', 'status 500: not running');
    return stream;
  }

  private begin(pod: Stored, execution: Execution, job: Job): void {
    const stream = this.streamOf(execution.clusterId, execution);
    if (stream === undefined) return;
    this.streams.set(execution, stream);
    stream.begin({
      jobId: job.id,
      runs: () =>
        this.goesOn(pod, execution) && job.end === undefined && job.canceled !== true && hasWorkers(execution),
      lives: () => this.goesOn(pod, execution) && job.end === undefined,
      end: (end) => this.endJob(pod, execution, job, end),
    });
  }

  private start(pod: Stored): void {
    const clusterId = pod.labels['app'] ?? '';
    const base = {
      clusterId,
      fixedId: this.jobIdOf(clusterId),
      pod: `${pod.name} ${pod.uid} ${pod.container?.restarts ?? 0}`,
      startedAt: this.sim.now,
    };
    if (beginsWithoutProgram(pod)) return this.hold(pod, { ...base, jobs: [], held: this.prepared.held() });
    const execution: Execution = { ...base, jobs: [] };
    this.executions.push(execution);
    this.running.set(pod.uid, execution);
    this.sim.tell('flink', `main() of ${clusterId} begins on ${pod.name}, start ${(pod.container?.restarts ?? 0) + 1}`);
    this.onStart(execution);
    const program = this.programOf(clusterId);
    this.sim.after(program.restAfter, () => {
      if (program.crashes !== undefined) this.kubernetes.crash(pod, program.crashes);
      else if (program.mainFails === true) this.mainThrows(pod, execution, 'no luck');
      else this.submit(pod, execution, program);
    });
    this.trouble(pod, execution, program);
  }

  private hold(pod: Stored, execution: Execution & { readonly held: Held }): void {
    this.running.set(pod.uid, execution);
    this.sim.tell('flink', `the JobManager of ${execution.clusterId} waits for its program on ${execution.pod}`);
    this.prepared.start(pod, execution);
    this.trouble(pod, execution, { ...this.programOf(execution.clusterId), endsAfter: 60_000 });
  }

  /** A JobManager begins main(), with what it was handed. */
  beginMain(execution: Execution): void {
    if (!this.executions.includes(execution)) this.executions.push(execution);
    this.sim.tell('flink', `main() of ${execution.clusterId} begins on ${execution.pod}`);
    this.onStart(execution);
  }

  /** The job of a program that was handed over. */
  submitHanded(pod: Stored, execution: Execution, jobId: string): void {
    const { restAfter, endsAfter, end } = this.programOf(execution.clusterId);
    const job: Job = { id: jobId, startedAt: this.sim.now };
    execution.jobs.push(job);
    this.begin(pod, execution, job);
    if (endsAfter === undefined) return;
    this.sim.after(endsAfter - restAfter, () => this.endJob(pod, execution, job, end));
  }

  /** Whether its JobManager is handed its program. */
  isPrepared(clusterId: string): boolean {
    return this.kubernetes.all('Pod').some((pod) => pod.labels['app'] === clusterId && beginsWithoutProgram(pod));
  }

  /** Whether a job of the cluster, or main(), goes on, or will when its JobManager is back. */
  isGoing(clusterId: string): boolean {
    if (this.prepared.comesBack(clusterId)) return true;
    return this.kubernetes.all('Pod').some((pod) => {
      const execution = this.running.get(pod.uid);
      if (execution?.clusterId !== clusterId || !this.goesOn(pod, execution)) return false;
      return execution.held === undefined || isBusy(execution);
    });
  }

  /** A job is there from then on; without `endsAfter` it goes on for ever. */
  private submit(pod: Stored, execution: Execution, { restAfter, endsAfter, end, main }: Program): void {
    if (!this.goesOn(pod, execution)) return;
    const index = execution.jobs.length;
    if (index > 0 && execution.fixedId !== '') {
      this.mainThrows(pod, execution, 'Cannot have more than one execute() or executeAsync() call');
      return;
    }
    const drawn = sha256Hex(`${execution.pod} ${index}`).slice(0, 32);
    const job: Job = { id: execution.fixedId === '' ? drawn : execution.fixedId, startedAt: this.sim.now };
    execution.jobs.push(job);
    this.begin(pod, execution, job);
    if (endsAfter === undefined) return this.askWhereCounted(pod, execution, index);
    const lasts = index === 0 ? endsAfter - restAfter : this.sim.draws.between(`${execution.pod} ${index}`, 100, 4_000);
    const isCaught = main?.catches === true && index === main.more;
    const how = isCaught ? 'FAILED' : index === 0 ? end : 'FINISHED';
    const run = (): void => this.sim.after(lasts, () => this.endJob(pod, execution, job, how));
    if (index > 0 || this.kubernetes.quota?.of !== 'pods') run();
    else this.askForTaskManager(pod, execution, run);
  }

  /** Of a job that does not end by itself. */
  private askWhereCounted(pod: Stored, execution: Execution, index: number): void {
    if (index > 0 || this.kubernetes.quota?.of !== 'pods') return;
    this.askForTaskManager(pod, execution, () => undefined);
  }

  /** Without one its tasks do not run, and it asks again. */
  askForTaskManager(pod: Stored, execution: Execution, then: () => void): void {
    if (!this.isAlive(pod, execution)) return;
    execution.lacksTaskManager = !this.kubernetes.makeTaskManager(execution.clusterId);
    if (!execution.lacksTaskManager) return then();
    this.onRefused(execution);
    this.sim.after(3_000, () => this.askForTaskManager(pod, execution, then));
  }

  goesOn(pod: Stored, execution: Execution): boolean {
    return this.isAlive(pod, execution) && execution.end === undefined && execution.forgotten !== true;
  }

  private endJob(pod: Stored, execution: Execution, job: Job, end: End): void {
    if (!this.goesOn(pod, execution) || job.end !== undefined) return;
    job.end = end;
    job.endedAt = this.sim.now;
    this.streams.get(execution)?.ended(end);
    this.sim.tell('flink', `job ${execution.jobs.length} of ${execution.clusterId} is ${end}`);
    if (end === 'FINISHED') this.onJobFinished(execution);
    if (execution.held !== undefined) {
      this.prepared.forget(execution);
      return this.end(pod, execution, end);
    }
    const { main = { more: 0, pause: 0, then: 'returns' } as const, ...program } = this.programOf(execution.clusterId);
    const isCaught = main.catches === true && end === 'FAILED' && execution.jobs.length > main.more;
    if (end === 'CANCELED' || (end === 'FAILED' && !isCaught)) {
      this.end(pod, execution, end);
      return;
    }
    this.sim.after(main.pause, () => {
      if (execution.jobs.length <= main.more) this.submit(pod, execution, { ...program, main });
      else this.endMain(pod, execution, main.then);
    });
  }

  /** Before 2.3 Flink counts every job, also one whose failure main() caught. */
  private endMain(pod: Stored, execution: Execution, then: MainProgram['then']): void {
    if (!this.goesOn(pod, execution) || then === 'hangs') return;
    const { older = false } = this.programOf(execution.clusterId);
    const hasFailed = execution.jobs.some(({ end }) => end === 'FAILED');
    if (then === 'throws') this.mainThrows(pod, execution, 'main threw');
    else if (then === 'returns') this.end(pod, execution, older && hasFailed ? 'FAILED' : 'FINISHED');
    else {
      const code = then === 'exits with 0' ? 0 : 3;
      this.end(
        pod,
        execution,
        code === 0 && execution.jobs.some(({ end }) => end === 'FINISHED') ? 'FINISHED' : 'FAILED',
      );
      execution.threw = `exit ${code}`;
      this.kubernetes.crash(pod, code);
    }
  }

  private mainThrows(pod: Stored, execution: Execution, what: string): void {
    if (!this.goesOn(pod, execution)) return;
    execution.threw = what;
    this.end(pod, execution, 'FAILED');
    if (this.programOf(execution.clusterId).older !== true) return;
    this.sim.after(this.sim.draws.between(`exit ${execution.pod}`, 20, 3_000), () => this.kubernetes.crash(pod, 1));
  }

  /** Before a look has seen it, so that another JobManager follows. */
  private diesAtOnce(pod: Stored, { clusterId, pod: it }: Execution): boolean {
    const { sim } = this;
    if (this.executions.filter((execution) => execution.clusterId === clusterId).length > 1) return false;
    if (
      sim.faults.at(`jobmanager ${it} at once`, ['jobmanager-killed'], isSlow(sim.draws, 'k8s') ? 4 : 1) === undefined
    )
      return false;
    sim.after(sim.draws.between(`dies ${it}`, 20, 600), () => {
      sim.tell('kubernetes', `kills the JobManager of ${clusterId} at its start ⚡jobmanager-killed`);
      this.kubernetes.crash(pod, 137, true);
    });
    return true;
  }

  /** Its id is in the ConfigMap that the node mounted. */
  private jobIdOf(clusterId: string): string {
    const map = this.kubernetes.find('ConfigMap', `flink-config-${clusterId}`)?.object as V1ConfigMap | undefined;
    const [, id = ''] =
      /pipeline[\s\S]*?job-id['"]?:\s*['"]?([0-9a-f]{32})/.exec(Object.values(map?.data ?? {}).join('\n')) ?? [];
    return id;
  }

  private end(pod: Stored, execution: Execution, end: End): void {
    if (!this.isAlive(pod, execution) || execution.end !== undefined || execution.forgotten === true) return;
    execution.end = end;
    execution.endedAt = this.sim.now;
    this.sim.tell('flink', `the application of ${execution.clusterId} is ${end}`);
    this.onEnd(execution);
    if (this.sim.faults.at(`jobmanager ${execution.pod} after its end`, ['killed-after-end'], 4) === undefined) return;
    this.sim.after(this.sim.draws.between(`killed after ${execution.pod}`, 0, 4_000), () => {
      this.sim.tell('kubernetes', `kills the JobManager of ${execution.clusterId} ⚡killed-after-end`);
      this.kubernetes.crash(pod, 137);
    });
  }

  private trouble(pod: Stored, execution: Execution, program: Program): void {
    if (this.diesAtOnce(pod, execution)) return;
    const kind = this.sim.faults.at(`jobmanager ${execution.pod}`, ['jobmanager-killed', 'job-forgotten'], 2);
    if (kind === undefined) return;
    const latest = Math.max(5_000, program.endsAfter ?? 0);
    this.sim.after(this.sim.draws.between(`trouble ${execution.pod}`, 100, latest), () => {
      if (!this.isAlive(pod, execution)) return;
      this.sim.tell('kubernetes', `${execution.clusterId} ⚡${kind}`);
      if (kind === 'job-forgotten') this.forgetJob(execution);
      else this.kubernetes.crash(pod, 137);
    });
  }

  /** One that has no job yet takes it all the same. */
  private forgetJob(execution: Execution): void {
    if (execution.held !== undefined && execution.jobs.length === 0) return;
    execution.forgotten = true;
    this.prepared.forget(execution);
  }

  isAlive(pod: Stored, execution: Execution): boolean {
    return this.kubernetes.exists(pod) && pod.container?.state === 'running' && this.running.get(pod.uid) === execution;
  }

  standing(ref: ClusterRef): Standing | undefined {
    const pods = this.kubernetes
      .all('Pod')
      .filter(
        ({ labels, container, phase }) =>
          labels['app'] === ref.clusterId &&
          labels['component'] !== 'taskmanager' &&
          container?.state === 'running' &&
          phase === 'Running',
      );
    const pod = pods.at(-1);
    const execution = pod === undefined ? undefined : this.running.get(pod.uid);
    return pod === undefined || execution === undefined ? undefined : { pod, execution };
  }

  private look(ref: ClusterRef): JobManagerFacts {
    const found = this.standing(ref);
    const program = this.programOf(ref.clusterId);
    if (found === undefined || this.sim.now - found.execution.startedAt < program.restAfter) {
      throw new DispatchError('RestUnreachable', 'connection refused');
    }
    if (this.isSilent(found.execution)) throw new DispatchError('RestUnreachable', 'no answer within 10000 ms');
    const jobs = found.execution.forgotten === true ? [] : this.summaries(found.execution, program);
    const { end, clusterId, held } = found.execution;
    const flinkVersion = program.older === true ? '1.20.0' : '2.3.0';
    if (held !== undefined) return { flinkVersion, ...this.prepared.slots(found.execution), jobs };
    const application = { id: sha256Hex(clusterId).slice(0, 32), name: 'main', status: end ?? 'RUNNING' };
    return {
      flinkVersion,
      taskManagers: 1,
      slotsTotal: 1,
      slotsAvailable: 0,
      jobs,
      ...(program.older === true ? {} : { applications: [{ ...application, jobs: found.execution.jobs.length }] }),
    };
  }

  private mainThread(ref: ClusterRef): MainThread {
    const found = this.standing(ref);
    if (found === undefined) throw new DispatchError('RestUnreachable', 'connection refused');
    return found.execution.end === undefined
      ? { state: 'running', stack: 'at a.Main.main(Main.java:1)' }
      : { state: 'returned' };
  }

  private runtime({ clusterId }: ClusterRef, jobId: string): JobRuntime {
    const { untyped = false, batchMode = false, checkpointInterval = 60_000 } = this.programOf(clusterId);
    if (untyped) return { jobId };
    if (batchMode) return { jobId, type: 'BATCH' };
    return { jobId, type: 'STREAMING', ...(Number.isFinite(checkpointInterval) && { checkpointInterval }) };
  }

  private exception(ref: ClusterRef): RootException | undefined {
    const threw = this.standing(ref)?.execution.threw;
    return threw === undefined ? undefined : { message: `a.B: ${threw}`, stackTrace: `a.B: ${threw}` };
  }

  /** For a while the endpoint says nothing, although its JobManager is well. */
  isSilent(execution: Execution): boolean {
    const { sim } = this;
    if (sim.faults.at(`rest ${execution.pod} never`, ['rest-silent'], 1) !== undefined) return true;
    const window = Math.floor((sim.now - execution.startedAt) / 20_000);
    return sim.faults.at(`rest ${execution.pod} window ${window}`, ['rest-silent'], 1) !== undefined;
  }

  private summaries(execution: Execution, program: Program): readonly JobSummary[] {
    const { restAfter, runsAfter } = program;
    const since = execution.jobs[0]?.startedAt ?? Infinity;
    const isLate = runsAfter === undefined || this.sim.now - since < runsAfter - restAfter;
    const runs = !isLate && hasWorkers(execution);
    return execution.jobs.map(({ id, startedAt, end, endedAt }, index) => {
      const startTime = Math.round(
        index === 0 && runsAfter !== undefined && runs ? startedAt + runsAfter - restAfter : startedAt,
      );
      const endTime = endedAt === undefined ? -1 : Math.round(endedAt);
      return {
        id,
        name: 'job',
        state: end ?? 'RUNNING',
        startTime,
        endTime,
        duration: Math.max(0, (endTime === -1 ? Math.round(this.sim.now) : endTime) - startTime),
        tasks: end !== undefined ? {} : runs ? this.tasksOf(execution, program) : { SCHEDULED: 1, TOTAL: 1 },
      };
    });
  }

  /** Of a job that runs. */
  private tasksOf({ startedAt }: Execution, { restartsTasks: [from, to] = [0, 0] }: Program): JobSummary['tasks'] {
    const age = this.sim.now - startedAt;
    return age >= from && age < to ? { RUNNING: 1, INITIALIZING: 1, TOTAL: 2 } : { RUNNING: 1, TOTAL: 1 };
  }

  private cancel(ref: ClusterRef, jobId: string): void {
    const found = this.standing(ref);
    if (found === undefined) throw new DispatchError('RestUnreachable', 'connection refused');
    const { pod, execution } = found;
    const job = execution.jobs.find(({ id }) => id === jobId);
    if (job === undefined || execution.forgotten === true) throw new DispatchError('JobNotFound', 'no such job');
    if (this.programOf(ref.clusterId).deafToCancel === true || job.canceled === true) return;
    job.canceled = true;
    execution.canceledAt = this.sim.now;
    this.sim.after(this.sim.draws.between(`cancel ${execution.pod}`, 50, 3_000), () =>
      this.endJob(pod, execution, job, 'CANCELED'),
    );
  }

  private log(pod: Stored): string {
    const execution = this.running.get(pod.uid);
    const { quiet = false, older = false, log } = this.programOf(execution?.clusterId ?? '');
    if (log !== undefined && execution !== undefined) return log;
    if (execution === undefined || quiet) return 'WARN  org.apache.hadoop.util.NativeCodeLoader - no native code\n';
    const flink = 'INFO  org.apache.flink.';
    const lines =
      execution.held === undefined ? [`${flink}client.ClientUtils - Starting program (detached: false)`] : [];
    if (execution.lacksTaskManager === true) {
      const refused = `pods "${execution.clusterId}-taskmanager-1-1" is forbidden: exceeded quota: small`;
      lines.push(
        `WARN  org.apache.flink.kubernetes.KubernetesResourceManagerDriver - Could not create pod: ${refused}`,
      );
    }
    for (const { id, end } of execution.jobs) {
      const job = `${flink}runtime.executiongraph.ExecutionGraph - Job job (${id}) switched from state`;
      lines.push(`${job} CREATED to RUNNING.`, ...(end === undefined ? [] : [`${job} RUNNING to ${end}.`]));
    }
    const last = execution.held === undefined ? lastLines(execution, older) : [];
    return [...lines, ...last].map((line) => `${line}\n`).join('');
  }
}

function hasWorkers({ lacksTaskManager, held }: Execution): boolean {
  return lacksTaskManager !== true && held?.hasTaskManager !== false;
}

/** Of one that was handed its program, or will be. */
function isBusy({ held, jobs }: Execution): boolean {
  return (held?.mains ?? 0) > 0 || jobs.some(({ end }) => end === undefined);
}

function lastLines({ end, threw }: Execution, older: boolean): readonly string[] {
  const bootstrap = 'org.apache.flink.client.deployment.application.ApplicationDispatcherBootstrap -';
  if (threw?.startsWith('exit') === true) {
    return ['INFO  org.apache.flink.X - Shutting X down with application status UNKNOWN.'];
  }
  if (end === undefined) return [];
  if (threw !== undefined) {
    const fatal =
      'ERROR org.apache.flink.runtime.entrypoint.ClusterEntrypoint - Fatal error occurred in the cluster entrypoint.';
    return [
      `WARN  ${bootstrap} Application failed unexpectedly: `,
      `a.B: ${threw}`,
      '\tat a.B.c(B.java:1)',
      ...(older ? [fatal] : []),
    ];
  }
  return [`INFO  ${bootstrap} Application ${end === 'FINISHED' ? 'completed SUCCESSFULLY' : `${end}: `}`];
}
