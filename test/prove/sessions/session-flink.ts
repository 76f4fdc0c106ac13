import { createHash } from 'node:crypto';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { JobHistory } from '../../../lib/flink/job-history.ts';
import {
  ProgramFailed,
  type JarRun,
  type JobManager,
  type JobManagerFacts,
  type JobSummary,
} from '../../../lib/flink/job-manager.ts';
import type { SessionAccess } from '../../../lib/dispatch/targets.ts';
import type { FaultKind } from '../faults.ts';
import { flinkHistory } from '../history/flink-history.ts';
import type { Program } from '../servers/flink.ts';
import type { Kubernetes } from '../servers/kubernetes.ts';
import { FLINK_FAILURES, isAlive, Processes, summaryOf, type SessionJob, type SessionProcess } from './session-jobs.ts';
import type { Invocation, Simulation } from '../simulation.ts';

const NO_LUCK = 'java.lang.IllegalStateException: no luck';

const READ: readonly FaultKind[] = ['refused', 'lost', 'slow', 'crash-before', 'crash-after'];
const WRITE: readonly FaultKind[] = [...READ, 'late'];

/** Beyond which the product's client gives up on an upload or a main(). */
const PATIENCE = 30_000;

export interface SessionFacts {
  readonly isSession: (clusterId: string) => boolean;
  readonly hasHighAvailability: (clusterId: string) => boolean;
  /** `job-result-store.delete-on-commit: false`. */
  readonly keepsResults: (clusterId: string) => boolean;
  /** Of a run's job. */
  readonly programOf: (jobId: string) => Program;
}

/** JobManagers of session clusters: what they truly have, and what their REST endpoints answer. */
export class SessionFlink {
  readonly processes: Processes;
  onJarRemoved: (name: string, ours: boolean, by: string) => void = () => undefined;
  onJarUploaded: (name: string, sha256: string, by: string) => void = () => undefined;
  onCancel: (job: SessionJob, by: string) => void = () => undefined;
  onRun: (run: JarRun) => void = () => undefined;
  onMain: (jobId: string, beside: readonly string[]) => void = () => undefined;
  onLook: (clusterId: string, by: string) => void = () => undefined;
  private readonly sim: Simulation;
  private readonly kubernetes: Kubernetes;
  private readonly facts: SessionFacts;
  private readonly mains: Main[] = [];
  private jarIds = 0;

  constructor(sim: Simulation, kubernetes: Kubernetes, facts: SessionFacts) {
    this.sim = sim;
    this.kubernetes = kubernetes;
    this.facts = facts;
    this.processes = new Processes(sim, kubernetes, facts);
    const { onStart, logOf } = kubernetes;
    kubernetes.onStart = (pod) => {
      if (pod.labels['component'] === 'taskmanager') return;
      if (facts.isSession(pod.labels['app'] ?? '')) this.processes.start(pod);
      else onStart(pod);
    };
    kubernetes.logOf = (pod, previous) => {
      if (!facts.isSession(pod.labels['app'] ?? '')) return logOf(pod, previous);
      return previous ? (pod.container?.previousLog ?? '') : this.processes.logOf(pod);
    };
  }

  jobManager(invocation: Invocation, ref: ClusterRef): JobManager {
    const ask = this.asker(invocation, ref);
    return {
      overview: () => ask('look', READ, (process) => this.look(process, invocation.label)),
      runtime: (jobId) => ask('runtime', READ, () => ({ jobId, type: 'STREAMING' })),
      result: (jobId) =>
        ask('result', READ, ({ jobs }) => ({
          answers: {},
          accumulators: { records: '7' },
          ...jobs.get(jobId)?.program.result,
        })),
      checkpoints: () => ask('checkpoints', READ, () => ({ completedSinceRestore: 0, failed: 0, inProgress: 0 })),
      cancel: (jobId) => ask('cancel', WRITE, (process) => this.cancel(process, jobId, invocation.label)),
    };
  }

  history(invocation: Invocation, ref: ClusterRef): JobHistory {
    const jobs = (): readonly JobSummary[] =>
      [...this.answering(ref).jobs.values()].map((job) => summaryOf(job, this.sim.now));
    return flinkHistory(this.sim, { invocation, ref, jobs });
  }

  session(invocation: Invocation, ref: ClusterRef): SessionAccess {
    const ask = this.asker(invocation, ref);
    return {
      inspection: {
        configuration: () => ask('configuration', READ, () => this.configuration(ref.clusterId)),
      },
      jars: {
        upload: async (name, content) => {
          const bytes = content instanceof Uint8Array ? content : Buffer.concat(await chunksOf(content.chunks()));
          return ask('upload', WRITE, ({ jars }) => {
            this.jarIds += 1;
            const id = `${this.jarIds}_${name}`;
            jars.set(id, { name, ours: true });
            this.onJarUploaded(name, createHash('sha256').update(bytes).digest('hex'), invocation.label);
            return id;
          });
        },
        run: (jarId, run) => this.run(invocation, ask, jarId, run),
        plan: (jarId) =>
          ask('plan', READ, ({ jars }) => {
            if (!jars.has(jarId)) throw new DispatchError('FlinkRefused', `Jar file ${jarId} does not exist`);
            return [];
          }),
        remove: (jarId) =>
          ask('remove', WRITE, ({ jars }) => {
            const jar = jars.get(jarId);
            if (jar === undefined) throw new DispatchError('FlinkRefused', `File ${jarId} does not exist`);
            jars.delete(jarId);
            this.onJarRemoved(jar.name, jar.ours, invocation.label);
          }),
        list: () => ask('jars', READ, ({ jars }) => [...jars].map(([id, { name }]) => ({ id, name }))),
      },
    };
  }

  /** Somebody else's jar and job. */
  addForeign(process: SessionProcess, jobId: string, program: Program): void {
    this.jarIds += 1;
    process.jars.set(`${this.jarIds}_theirs.jar`, { name: 'theirs.jar', ours: false });
    this.processes.submit(process, jobId, program, false);
  }

  private asker(invocation: Invocation, ref: ClusterRef) {
    return <T>(verb: string, kinds: readonly FaultKind[], act: (process: SessionProcess) => T): Promise<T> =>
      this.sim.effect(invocation, {
        what: `session ${verb} ${ref.clusterId}`,
        act: () => act(this.answering(ref)),
        kinds,
        failures: FLINK_FAILURES,
        latency: [4, 80],
      });
  }

  /** main() begins with the request, and the answer waits for it. */
  private async run(
    invocation: Invocation,
    ask: ReturnType<SessionFlink['asker']>,
    jarId: string,
    run: JarRun,
  ): Promise<string> {
    const jobId = run.jobId ?? '';
    const main = await ask('run', WRITE, (process) => {
      if (!process.jars.has(jarId)) throw new DispatchError('FlinkRefused', `Jar file ${jarId} does not exist`);
      this.onRun(run);
      return this.main(process, jarId, jobId, invocation);
    });
    const failure = await new Promise<Error | undefined>((resolve) => {
      const settle = (error?: Error): void => {
        if (invocation.alive) resolve(error);
      };
      main.onEnd.push(settle);
      if (main.ended) settle(main.failure);
      this.sim.after(PATIENCE, () => settle(FLINK_FAILURES.noAnswer() as Error));
    });
    if (failure !== undefined) throw failure;
    return jobId;
  }

  private main(process: SessionProcess, jarId: string, jobId: string, invocation: Invocation): Main {
    const { sim } = this;
    const by = invocation.label;
    const others = this.mains.filter((one) => one.jobId === jobId && !one.ended && one.invocation !== invocation);
    // A request may come when the function that made it is gone.
    const beside = invocation.alive ? others.filter((one) => one.invocation.alive) : [];
    this.onMain(
      jobId,
      beside.map((one) => one.invocation.label),
    );
    const program = this.facts.programOf(jobId);
    process.mains += 1;
    const it = `main ${jobId} of ${by} ${process.mains}`;
    const main: Main = { jobId, invocation, ended: false, onEnd: [] };
    this.mains.push(main);
    const takes = sim.draws.between(it, 50, sim.draws.chance(`${it} long`, 0.1) ? 40_000 : 2_500);
    sim.tell('flink', `main() of ${jobId} begins in ${process.name} for ${by}`);
    sim.after(takes, () => {
      main.ended = true;
      main.failure = this.finishMain(process, jarId, jobId, program);
      for (const told of main.onEnd) told(main.failure);
    });
    return main;
  }

  private finishMain(process: SessionProcess, jarId: string, jobId: string, program: Program): Error | undefined {
    if (!isAlive(this.kubernetes, process)) return FLINK_FAILURES.refused() as Error;
    if (program.mainFails === true) {
      const { message, stackTrace } = program.threw ?? { message: NO_LUCK, stackTrace: NO_LUCK };
      return new ProgramFailed({ message, stackTrace });
    }
    // The client in the JobManager reads it once more, for the blob server.
    if (!process.jars.has(jarId)) return programFailed(`java.nio.file.NoSuchFileException: ${jarId}`);
    if (this.processes.isKnown(process, jobId)) {
      return programFailed(
        'org.apache.flink.runtime.client.DuplicateJobSubmissionException: Job has already been submitted.',
      );
    }
    this.processes.submit(process, jobId, program, true);
    // It waits for the result of its job in vain, or calls execute() again.
    const throws = this.sim.draws.chance(`main ${jobId} throws after its job`, 0.08);
    return throws ? programFailed('org.apache.flink.util.FlinkException: only one job is allowed') : undefined;
  }

  private answering({ clusterId }: ClusterRef): SessionProcess {
    const process = this.processes.standing(clusterId);
    if (process === undefined || this.sim.now - process.startedAt < process.restAfter) {
      throw new DispatchError('RestUnreachable', 'connection refused');
    }
    const window = Math.floor((this.sim.now - process.startedAt) / 20_000);
    if (this.sim.faults.at(`rest ${process.name} window ${window}`, ['rest-silent'], 1) !== undefined) {
      throw new DispatchError('RestUnreachable', 'no answer within 10000 ms');
    }
    return process;
  }

  private configuration(clusterId: string): Readonly<Record<string, string>> {
    return {
      ...(this.facts.hasHighAvailability(clusterId) ? { 'high-availability.type': 'kubernetes' } : {}),
      ...(this.facts.keepsResults(clusterId) ? { 'job-result-store.delete-on-commit': 'false' } : {}),
    };
  }

  private look(process: SessionProcess, by: string): JobManagerFacts {
    this.onLook(process.clusterId, by);
    const jobs = [...process.jobs.values()].map((job) => summaryOf(job, this.sim.now));
    return { flinkVersion: '2.3.0', taskManagers: 1, slotsTotal: 4, slotsAvailable: 2, jobs };
  }

  private cancel(process: SessionProcess, jobId: string, by: string): void {
    const job = process.jobs.get(jobId);
    if (job === undefined) throw new DispatchError('JobNotFound', 'no such job');
    this.onCancel(job, by);
    if (job.end !== undefined || job.canceledAt !== undefined) return;
    job.canceledAt = this.sim.now;
    // The TaskManager of a task that does not hear it goes down at last.
    const [least, most] = job.program.deafToCancel === true ? [40_000, 90_000] : [50, 3_000];
    this.sim.after(this.sim.draws.between(`cancel ${jobId}`, least, most), () =>
      this.processes.end(process, job, 'CANCELED'),
    );
  }
}

interface Main {
  readonly jobId: string;
  readonly invocation: Invocation;
  ended: boolean;
  failure?: Error | undefined;
  readonly onEnd: ((failure?: Error) => void)[];
}

function programFailed(text: string): ProgramFailed {
  return new ProgramFailed({ message: text, stackTrace: text });
}

async function chunksOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}
