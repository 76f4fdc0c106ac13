import { createHash } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { SessionAccess } from '../../../lib/dispatch/targets.ts';
import { ProgramFailed, type JarRun, type JobManagerFacts } from '../../../lib/flink/job-manager.ts';
import type { ClusterRef } from '../../../lib/kubernetes/cluster/port.ts';
import type { FaultKind } from '../faults.ts';
import type { Failures, Invocation, Simulation } from '../simulation.ts';
import { configOf } from '../streams/stream-config.ts';
import type { Execution, Flink, Standing } from './flink.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { Stored } from './kubernetes-objects.ts';
import { planOf } from '../streams/operators.ts';

const READ: readonly FaultKind[] = ['refused', 'lost', 'slow', 'crash-before', 'crash-after'];
const WRITE: readonly FaultKind[] = [...READ, 'late'];
const FAILURES: Failures = {
  refused: () => new DispatchError('RestUnreachable', 'connection refused'),
  throttled: () => new DispatchError('RestUnreachable', 'status 503'),
  noAnswer: () => new DispatchError('RestUnreachable', 'no answer in time'),
};
/** Beyond which the product's client gives up on an upload or a main(). */
const PATIENCE = 30_000;

/** What a JobManager that began without a program has, for as long as its process lives. */
export interface Held {
  /** Names of jars by their ids. */
  readonly jars: Map<string, string>;
  hasTaskManager: boolean;
  /** main()s that run at the moment and will submit their job: one that is run for its plan begins nothing. */
  mains: number;
  /** What the job that it has was run with. */
  run?: JarRun;
}

type Holding = Execution & { readonly held: Held };

/** A main() that somebody asks for. */
interface Main {
  readonly verb: 'plan' | 'run';
  readonly jarId: string;
  readonly run: JarRun;
  readonly then: (it: Standing) => Error | undefined;
}

/** Its Deployment's command names the entry point of a session. */
export function beginsWithoutProgram(pod: Stored): boolean {
  const { containers = [] } = (pod.object as V1Pod).spec ?? {};
  return containers.some(({ args = [] }) => args.some((arg) => arg.includes('kubernetes-session')));
}

/**
 * JobManagers of the clusters that the product prepares: they take a jar, plan it, hold TaskManagers, and run main() when they
 * are asked to. With high availability the next JobManager goes on with the job, as long as its ConfigMap is there.
 */
export class PreparedManagers {
  onJarUploaded: (name: string, sha256: string) => void = () => undefined;
  /** A main() begins for its plan, or for its job. */
  onMain: (verb: Main['verb'], run: JarRun) => void = () => undefined;
  private readonly sim: Simulation;
  private readonly kubernetes: Kubernetes;
  private readonly flink: Flink;
  /** What high availability keeps, by cluster. */
  private readonly kept = new Map<string, JarRun>();
  private jarIds = 0;

  constructor(sim: Simulation, kubernetes: Kubernetes, flink: Flink) {
    this.sim = sim;
    this.kubernetes = kubernetes;
    this.flink = flink;
    kubernetes.watchers.push({
      created: () => undefined,
      deleted: () => undefined,
      gone: ({ kind, name, labels: { app = '' } }) => {
        if (kind === 'ConfigMap' && name === keeperOf(app)) this.kept.delete(app);
      },
    });
  }

  held(): Held {
    return { jars: new Map(), hasTaskManager: false, mains: 0 };
  }

  start(pod: Stored, execution: Holding): void {
    const { sim } = this;
    const { clusterId } = execution;
    const { restAfter } = this.flink.programOf(clusterId);
    const { recovers } = configOf(this.kubernetes, clusterId);
    if (recovers) this.lead(clusterId, pod);
    sim.after(restAfter, () => {
      if (!this.flink.isAlive(pod, execution)) return;
      this.takeWorker(pod, execution);
      const run = this.kept.get(clusterId);
      if (run === undefined) return;
      sim.tell('flink', `${clusterId} recovers its job on ${execution.pod}`);
      this.take(pod, execution, run);
    });
  }

  /** High availability has a job of it that the next JobManager goes on with. */
  comesBack(clusterId: string): boolean {
    return this.kept.has(clusterId);
  }

  /** Its job has ended. */
  forget({ clusterId }: Execution): void {
    this.kept.delete(clusterId);
  }

  slots({ held, jobs }: Execution): Pick<JobManagerFacts, 'taskManagers' | 'slotsTotal' | 'slotsAvailable'> {
    const all = held?.hasTaskManager === true ? 1 : 0;
    const isTaken = jobs.some(({ end }) => end === undefined);
    return { taskManagers: all, slotsTotal: all, slotsAvailable: isTaken ? 0 : all };
  }

  session(invocation: Invocation, ref: ClusterRef): SessionAccess {
    const ask = this.asker(invocation, ref);
    return {
      inspection: {
        configuration: () => {
          throw new Error('its options are the run’s own');
        },
      },
      jars: {
        upload: async (name, content) => {
          const bytes = content instanceof Uint8Array ? content : Buffer.concat(await chunksOf(content.chunks()));
          return ask('upload', WRITE, ({ held: { jars } }) => {
            this.jarIds += 1;
            const id = `${this.jarIds}_${name}`;
            jars.set(id, name);
            this.onJarUploaded(name, createHash('sha256').update(bytes).digest('hex'));
            return id;
          });
        },
        list: () => ask('jars', READ, ({ held: { jars } }) => [...jars].map(([id, name]) => ({ id, name }))),
        plan: async (jarId, run) => {
          await this.main(invocation, ref, { verb: 'plan', jarId, run, then: () => undefined });
          return planOf(run.programArgs);
        },
        run: async (jarId, run) => {
          await this.main(invocation, ref, { verb: 'run', jarId, run, then: (it) => this.submit(it, run) });
          return run.jobId ?? '';
        },
        remove: (jarId) => ask('remove', WRITE, ({ held: { jars } }) => void jars.delete(jarId)),
      },
    };
  }

  private asker(invocation: Invocation, ref: ClusterRef) {
    return <T>(verb: string, kinds: readonly FaultKind[], act: (execution: Holding, pod: Stored) => T): Promise<T> =>
      this.sim.effect(invocation, {
        what: `flink ${verb} ${ref.clusterId}`,
        act: () => {
          const { execution, pod } = this.answering(ref);
          return act(execution, pod);
        },
        kinds,
        failures: FAILURES,
        latency: [4, 80],
      });
  }

  private answering(ref: ClusterRef): Standing & { readonly execution: Holding } {
    const found = this.flink.standing(ref);
    const isDeaf = found === undefined || this.flink.isSilent(found.execution);
    if (isDeaf || this.sim.now - found.execution.startedAt < this.flink.programOf(ref.clusterId).restAfter)
      throw new DispatchError('RestUnreachable', 'connection refused');
    const { pod, execution } = found;
    if (!isHolding(execution)) throw new DispatchError('FlinkRefused', 'the endpoint takes no programs');
    return { pod, execution };
  }

  /** main() begins with the request, and the answer waits for it. */
  private async main(invocation: Invocation, ref: ClusterRef, main: Main): Promise<void> {
    const { sim } = this;
    const { verb, jarId, run } = main;
    const { ends } = await this.asker(invocation, ref)(verb, WRITE, (execution, pod) => {
      if (!execution.held.jars.has(jarId)) throw new DispatchError('FlinkRefused', `Jar file ${jarId} does not exist`);
      if (verb === 'run') {
        execution.held.mains += 1;
        this.flink.beginMain(execution);
      }
      this.onMain(verb, run);
      const it = `${verb} ${execution.pod} of ${invocation.label}`;
      return { ends: this.runMain(it, { execution, pod }, main) };
    });
    const failure = await new Promise<Error | undefined>((resolve) => {
      const settle = (error?: Error): void => {
        if (invocation.alive) resolve(error);
      };
      void ends.then(settle);
      sim.after(PATIENCE, () => settle(FAILURES.noAnswer() as Error));
    });
    if (failure !== undefined) throw failure;
  }

  /** Answers what main() failed of. */
  private runMain(
    it: string,
    { execution, pod }: Standing & { readonly execution: Holding },
    { verb, jarId, then }: Main,
  ): Promise<Error | undefined> {
    const { sim, flink } = this;
    const { held, clusterId } = execution;
    const takes = sim.draws.between(it, 50, sim.draws.chance(`${it} long`, 0.1) ? 40_000 : 2_500);
    const finish = (): Error | undefined => {
      if (verb === 'run') held.mains -= 1;
      if (!flink.isAlive(pod, execution)) return FAILURES.refused() as Error;
      if (flink.programOf(clusterId).mainFails === true) return failed('java.lang.IllegalStateException: no luck');
      // The client in the JobManager reads it once more, for the blob server.
      if (!held.jars.has(jarId)) return failed(`java.nio.file.NoSuchFileException: ${jarId}`);
      return then({ execution, pod });
    };
    return new Promise((resolve) => {
      sim.after(takes, () => resolve(finish()));
    });
  }

  /** A job that this JobManager has, or has had, is refused a second time. */
  private submit({ execution, pod }: Standing, run: JarRun): Error | undefined {
    if (execution.jobs.some(({ id }) => id === run.jobId) || this.kept.has(execution.clusterId)) {
      return failed('org.apache.flink.runtime.client.DuplicateJobSubmissionException: Job has already been submitted.');
    }
    this.take(pod, execution, run);
    return undefined;
  }

  private take(pod: Stored, execution: Execution, run: JarRun): void {
    const { clusterId, held } = execution;
    if (held === undefined) return;
    held.run = run;
    if (configOf(this.kubernetes, clusterId).recovers) this.kept.set(clusterId, run);
    this.flink.submitHanded(pod, execution, run.jobId ?? '');
  }

  /** It asks for one as long as there is no room. */
  private takeWorker(pod: Stored, execution: Holding): void {
    const { sim, kubernetes, flink } = this;
    if (!flink.isAlive(pod, execution)) return;
    if (!kubernetes.makeTaskManager(execution.clusterId)) {
      flink.onRefused(execution);
      return sim.after(3_000, () => this.takeWorker(pod, execution));
    }
    sim.after(sim.draws.between(`taskmanager of ${execution.pod}`, 200, 6_000), () => {
      execution.held.hasTaskManager = true;
    });
  }

  /** As the leaders of a JobManager with high availability do: nobody owns what they write. */
  private lead(clusterId: string, { namespace }: Stored): void {
    const name = keeperOf(clusterId);
    if (this.kubernetes.find('ConfigMap', name) !== undefined) return;
    const labels = { app: clusterId, type: 'flink-native-kubernetes', 'configmap-type': 'high-availability' };
    this.kubernetes.add({ kind: 'ConfigMap', metadata: { name, namespace, labels } }, 'flink');
  }
}

function isHolding(execution: Execution): execution is Holding {
  return execution.held !== undefined;
}

function failed(text: string): ProgramFailed {
  return new ProgramFailed({ message: text, stackTrace: text });
}

function keeperOf(clusterId: string): string {
  return `${clusterId}-cluster-config-map`;
}

async function chunksOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}
