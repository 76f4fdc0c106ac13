import type { V1ConfigMap } from '@kubernetes/client-node';
import type { ClusterRef } from '../../lib/cluster/port.ts';
import { DispatchError } from '../../lib/core/errors.ts';
import type { JobState } from '../../lib/flink/job-state.ts';
import type { JobManager, JobManagerFacts, JobSummary } from '../../lib/flink/job-manager.ts';
import type { FaultKind } from './faults.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { Stored } from './kubernetes-objects.ts';
import type { Failures, Invocation, Simulation } from './simulation.ts';

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
  /** main() fails before it submits a job. */
  readonly mainFails?: boolean;
  readonly deafToCancel?: boolean;
}

/** One start of main() by one JobManager. */
export interface Execution {
  readonly clusterId: string;
  readonly jobId: string;
  readonly pod: string;
  readonly startedAt: number;
  canceledAt?: number;
  endedAt?: number;
  end?: 'FINISHED' | 'FAILED' | 'CANCELED';
  forgotten?: boolean;
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
  private readonly running = new Map<string, Execution>();
  private readonly sim: Simulation;
  private readonly kubernetes: Kubernetes;

  constructor(sim: Simulation, kubernetes: Kubernetes) {
    this.sim = sim;
    this.kubernetes = kubernetes;
    kubernetes.onStart = (pod) => this.start(pod);
    kubernetes.logOf = (pod, previous) => (previous ? (pod.container?.previousLog ?? '') : this.log(pod));
  }

  jobManager(invocation: Invocation, ref: ClusterRef): JobManager {
    const ask = <T>(verb: string, act: () => T): Promise<T> =>
      this.sim.effect(invocation, {
        what: `flink ${verb} ${ref.clusterId}`,
        act,
        kinds: verb === 'cancel' ? [...READ, 'late'] : READ,
        failures: FAILURES,
        latency: [4, 80],
      });
    return {
      look: () => ask('look', () => this.look(ref)),
      result: () => ask('result', () => ({ answers: {}, accumulators: { records: '7' } })),
      cancel: (jobId) => ask('cancel', () => this.cancel(ref, jobId)),
    };
  }

  /** The job of an execution as its JobManager has it. */
  private stateOf(execution: Execution): JobState | undefined {
    const program = this.programOf(execution.clusterId);
    const age = this.sim.now - execution.startedAt;
    if (execution.end !== undefined) return execution.end;
    if (program.mainFails === true || age < program.restAfter) return undefined;
    return 'RUNNING';
  }

  private start(pod: Stored): void {
    const clusterId = pod.labels['app'] ?? '';
    const execution: Execution = {
      clusterId,
      jobId: this.jobIdOf(clusterId),
      pod: `${pod.name} ${pod.uid} ${pod.container?.restarts ?? 0}`,
      startedAt: this.sim.now,
    };
    this.executions.push(execution);
    this.running.set(pod.uid, execution);
    this.sim.tell('flink', `main() of ${clusterId} begins on ${pod.name}, start ${(pod.container?.restarts ?? 0) + 1}`);
    this.onStart(execution);
    const program = this.programOf(clusterId);
    if (program.endsAfter !== undefined && program.mainFails !== true) {
      this.sim.after(program.endsAfter, () => this.end(pod, execution, program.end));
    }
    this.trouble(pod, execution, program);
  }

  /** Its id is in the ConfigMap that the node mounted. */
  private jobIdOf(clusterId: string): string {
    const map = this.kubernetes.find('ConfigMap', `flink-config-${clusterId}`)?.object as V1ConfigMap | undefined;
    const [, id = ''] =
      /pipeline[\s\S]*?job-id['"]?:\s*['"]?([0-9a-f]{32})/.exec(Object.values(map?.data ?? {}).join('\n')) ?? [];
    return id;
  }

  private end(pod: Stored, execution: Execution, end: NonNullable<Execution['end']>): void {
    if (!this.isAlive(pod, execution) || execution.end !== undefined || execution.forgotten === true) return;
    execution.end = end;
    execution.endedAt = this.sim.now;
    this.sim.tell('flink', `the job of ${execution.clusterId} is ${end}`);
    this.onEnd(execution);
    if (this.sim.faults.at(`jobmanager ${execution.pod} after its end`, ['killed-after-end'], 4) === undefined) return;
    this.sim.after(this.sim.draws.between(`killed after ${execution.pod}`, 0, 4_000), () => {
      this.sim.tell('kubernetes', `kills the JobManager of ${execution.clusterId} ⚡killed-after-end`);
      this.kubernetes.crash(pod, 137);
    });
  }

  private trouble(pod: Stored, execution: Execution, program: Program): void {
    const kind = this.sim.faults.at(`jobmanager ${execution.pod}`, ['jobmanager-killed', 'job-forgotten'], 2);
    if (kind === undefined) return;
    const latest = Math.max(5_000, program.endsAfter ?? 0);
    this.sim.after(this.sim.draws.between(`trouble ${execution.pod}`, 100, latest), () => {
      if (!this.isAlive(pod, execution)) return;
      this.sim.tell('kubernetes', `${execution.clusterId} ⚡${kind}`);
      if (kind === 'job-forgotten') execution.forgotten = true;
      else this.kubernetes.crash(pod, 1);
    });
  }

  private isAlive(pod: Stored, execution: Execution): boolean {
    return this.kubernetes.exists(pod) && pod.container?.state === 'running' && this.running.get(pod.uid) === execution;
  }

  private standing(ref: ClusterRef): { readonly pod: Stored; readonly execution: Execution } | undefined {
    const pods = this.kubernetes
      .all('Pod')
      .filter(
        ({ labels, container, phase }) =>
          labels['app'] === ref.clusterId && container?.state === 'running' && phase === 'Running',
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
    const job = found.execution.forgotten === true ? undefined : this.summary(found.execution, program);
    const failed = program.mainFails === true;
    return {
      flinkVersion: '2.3.0',
      taskManagers: 1,
      slotsTotal: 1,
      slotsAvailable: 0,
      jobs: job === undefined ? [] : [job],
      applications: [{ id: found.execution.jobId, name: 'main', status: failed ? 'FAILED' : 'RUNNING' }],
    };
  }

  /** For a while the endpoint says nothing, although its JobManager is well. */
  private isSilent(execution: Execution): boolean {
    const { sim } = this;
    if (sim.faults.at(`rest ${execution.pod} never`, ['rest-silent'], 1) !== undefined) return true;
    const window = Math.floor((sim.now - execution.startedAt) / 20_000);
    return sim.faults.at(`rest ${execution.pod} window ${window}`, ['rest-silent'], 1) !== undefined;
  }

  private summary(execution: Execution, program: Program): JobSummary | undefined {
    const state = this.stateOf(execution);
    if (state === undefined) return undefined;
    const age = this.sim.now - execution.startedAt;
    const runs = program.runsAfter !== undefined && age >= program.runsAfter;
    const startTime = Math.round(execution.startedAt + Math.min(age, program.runsAfter ?? program.restAfter));
    const endTime = execution.endedAt === undefined ? -1 : Math.round(execution.endedAt);
    return {
      id: execution.jobId,
      name: 'job',
      state,
      startTime,
      endTime,
      duration: Math.max(0, (endTime === -1 ? Math.round(this.sim.now) : endTime) - startTime),
      tasks: execution.end !== undefined ? {} : runs ? { RUNNING: 1 } : { SCHEDULED: 1 },
    };
  }

  private cancel(ref: ClusterRef, jobId: string): void {
    const found = this.standing(ref);
    if (found === undefined) throw new DispatchError('RestUnreachable', 'connection refused');
    const { pod, execution } = found;
    if (execution.jobId !== jobId || execution.forgotten === true)
      throw new DispatchError('JobNotFound', 'no such job');
    if (this.programOf(ref.clusterId).deafToCancel === true || execution.canceledAt !== undefined) return;
    execution.canceledAt = this.sim.now;
    this.sim.after(this.sim.draws.between(`cancel ${execution.pod}`, 50, 3_000), () =>
      this.end(pod, execution, 'CANCELED'),
    );
  }

  private log(pod: Stored): string {
    const execution = this.running.get(pod.uid);
    if (execution?.end === undefined)
      return 'INFO  org.apache.flink.runtime.dispatcher.Dispatcher - the JobManager works\n';
    return `INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph - Job job (${execution.jobId}) switched from state RUNNING to ${execution.end}.\n`;
  }
}
