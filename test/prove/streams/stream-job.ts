import { DispatchError } from '../../../lib/core/errors.ts';
import type {
  CheckpointRequest,
  CompletedCheckpoint,
  JobCheckpoints,
  Requirements,
  SavepointOperation,
  SavepointRequest,
  SavepointStatus,
  VertexLoad,
} from '../../../lib/flink/job-manager.ts';
import { ScaledJob } from '../../fakes/scaled-job.ts';
import { flinkMetadata } from '../../fakes/flink-metadata.ts';
import type { Simulation } from '../simulation.ts';
import { OPERATORS } from './operators.ts';
import type { StreamTruth } from './stream-truth.ts';

/** What a job of a stream is told of its JobManager. */
export interface StreamHost {
  readonly jobId: string;
  /** Whether it runs, and nobody has canceled it. */
  readonly runs: () => boolean;
  /** Whether it has not ended, and its JobManager lives. */
  readonly lives: () => boolean;
  readonly end: (end: 'FINISHED' | 'FAILED') => void;
}

/** What its cluster's configuration says, and how it goes. */
export interface StreamConfig {
  readonly name: string;
  readonly question: string;
  readonly restoredFrom: string | undefined;
  /** What it began from is its own to remove. */
  readonly claims: boolean;
  /** Absent: its checkpoints are gone with its JobManager. */
  readonly checkpoints: string | undefined;
  /** With high availability: the newest checkpoint that this job has completed on any of its JobManagers. */
  readonly recovers: boolean;
  /** With the adaptive scheduler: how many subtasks it begins with. */
  readonly parallelism?: number;
  /** Milliseconds between two checkpoints, at least and at most; absent: none but those that are asked for. */
  readonly pace?: readonly [number, number];
  /** Its first checkpoint is under way for ever. */
  readonly neverCompletes?: boolean;
  /** What becomes of another parallelism that is asked for; absent: as a rule the job has it soon. */
  readonly rescales?: 'never' | 'refused' | 'unheard';
  /** What becomes of a stop with a savepoint. */
  readonly howOf: (question: string) => How;
  /** What it has to do now, in subtasks that work all of their time, and of how many vertices that is measured. */
  readonly load?: () => { readonly subtasks: number; readonly measured?: number };
  /** Whether its JobManager soon knows nothing any more of operations that are over. */
  readonly forgets: boolean;
  /** Its run is one of its own, of which nobody keeps the state. */
  readonly isPlain: () => boolean;
  /** Whether its checkpoints stay when it is canceled. */
  readonly retains: boolean;
}

const HOWS = [
  ...(['completes', 'completes', 'completes', 'completes', 'declined'] as const),
  ...(['hangs', 'fails when stopping', 'restarts when stopping'] as const),
] as const;
export type How = (typeof HOWS)[number];

/** By chance. */
export function howOf({ draws }: Simulation): StreamConfig['howOf'] {
  return (question) => draws.pick<How>(question, HOWS);
}

interface Operation {
  /** Of a stop. */
  readonly how?: How;
  path?: string;
  done?: 'COMPLETED' | 'FAILED';
  doneAt?: number;
}

/** Flink keeps two completed checkpoints. */
const RETAINED = 2;
/** How long a JobManager remembers what became of an operation, in worlds that forget. */
const REMEMBERS = 6_000;

/** The state of one job on one JobManager: it completes checkpoints and savepoints, and forgets what it was asked. */
export class StreamJob {
  private readonly truth: StreamTruth;
  private readonly config: StreamConfig;
  private readonly operations = new Map<string, Operation>();
  private host: StreamHost | undefined;
  private next = 1;
  private newest: CompletedCheckpoint | undefined;
  private readonly retained: string[] = [];
  private stopping = false;
  private taken = 0;
  private scaled: ScaledJob | undefined;

  constructor(truth: StreamTruth, config: StreamConfig) {
    this.truth = truth;
    this.config = config;
  }

  begin(host: StreamHost): void {
    this.host = host;
    const { truth, config } = this;
    const recovered = config.recovers ? truth.recovered(host.jobId) : undefined;
    const from = recovered ?? config.restoredFrom;
    const restored = truth.restore(config, host.jobId, from, recovered !== undefined);
    if (restored === undefined && from !== undefined) {
      truth.sim.after(100, () => host.end('FAILED'));
      return;
    }
    this.next = (restored ?? 0) + 1;
    this.scaled = this.scaledFor(host.jobId);
    if (config.claims && recovered === undefined && from !== undefined) this.retained.push(from);
    this.checkpointLater();
  }

  checkpoints(): JobCheckpoints {
    const inProgress = this.config.neverCompletes === true ? 1 : 0;
    return { ...(this.newest && { newest: this.newest }), completedSinceRestore: this.taken, failed: 0, inProgress };
  }

  status(triggerId: string): SavepointStatus {
    const operation = this.operations.get(triggerId);
    const isOld = operation?.doneAt !== undefined && this.truth.sim.now - operation.doneAt > REMEMBERS;
    if (operation === undefined || (this.config.forgets && isOld))
      throw new DispatchError('OperationNotFound', 'no such operation');
    if (operation.done === undefined) return { status: 'IN_PROGRESS' };
    if (operation.done === 'COMPLETED')
      return { status: 'COMPLETED', ...(operation.path !== undefined && { location: operation.path }) };
    const message = 'org.apache.flink.runtime.checkpoint.CheckpointException: no luck';
    return { status: 'FAILED', cause: { message, stackTrace: message } };
  }

  /** @throws DispatchError `FlinkRefused` while another one is under way */
  stop(jobId: string, { triggerId = '', targetDirectory = '' }: SavepointRequest): SavepointOperation {
    const answer = { kind: 'savepoint', jobId, triggerId } as const;
    if (this.operations.has(triggerId)) return answer;
    if (this.stopping) throw new DispatchError('FlinkRefused', 'a stop is under way');
    const { sim } = this.truth;
    const question = `${this.config.question} stop ${triggerId}`;
    const how = this.config.howOf(question);
    const operation: Operation = { how };
    this.operations.set(triggerId, operation);
    this.truth.stopDirectories.push(targetDirectory);
    this.stopping = true;
    sim.tell('flink', `job of ${this.config.name} is to stop with a savepoint, which ${how}`);
    sim.after(sim.draws.between(`${question} takes`, 200, 6_000), () =>
      this.savepoint(operation, question, targetDirectory),
    );
    return answer;
  }

  /** What its adaptive scheduler was asked for outlives a JobManager with high availability. */
  private scaledFor(jobId: string): ScaledJob | undefined {
    const { parallelism, recovers } = this.config;
    if (parallelism === undefined) return undefined;
    const known = recovers ? this.truth.scaled.get(jobId) : undefined;
    const scaled = known ?? new ScaledJob(parallelism);
    this.truth.scaled.set(jobId, scaled);
    return scaled;
  }

  /** Takes time, and now and then there is no room for it; @throws DispatchError `RestUnreachable` without the scheduler */
  get rescaling(): ScaledJob {
    if (this.scaled === undefined) throw new DispatchError('RestUnreachable', 'status 500: no adaptive scheduler');
    return this.scaled;
  }

  /** By chance it comes and goes, and comes anew every two minutes or so. */
  load(id: string): VertexLoad | undefined {
    const { load, question } = this.config;
    const { sim } = this.truth;
    const minutes = Math.floor(sim.now / 120_000);
    const { subtasks, measured } = load?.() ?? {
      subtasks: sim.draws.pick(`${question} load ${minutes}`, [0.5, 1, 1.6, 3, 6, 12]),
    };
    return this.rescaling.loadOf(id, subtasks, measured);
  }

  require(requirements: Requirements): void {
    const { rescaling: scaled } = this;
    const { rescales } = this.config;
    if (rescales === 'refused') throw new DispatchError('FlinkRefused', 'it does not like that');
    if (rescales === 'unheard') return;
    scaled.require(requirements);
    const { sim } = this.truth;
    const question = `${this.config.question} rescale ${scaled.history.length} ${JSON.stringify(requirements)}`;
    if (rescales === 'never' || sim.draws.chance(`${question} never`, 0.2)) return;
    sim.after(sim.draws.between(`${question} takes`, 200, 9_000), () => {
      if (this.host?.runs() !== true || this.stopping) return;
      scaled.apply();
      sim.tell('flink', `job of ${this.config.name} runs with parallelism ${scaled.parallelism}`);
    });
  }

  /** A savepoint while the job goes on. */
  trigger(jobId: string, { triggerId = '', targetDirectory = '' }: SavepointRequest): SavepointOperation {
    return this.take({ kind: 'savepoint', jobId, triggerId }, (question) =>
      this.savepointPath(targetDirectory, question),
    );
  }

  /** A checkpoint, now. */
  checkpoint(jobId: string, { triggerId }: CheckpointRequest): SavepointOperation {
    return this.take({ kind: 'checkpoint', jobId, triggerId }, () => undefined);
  }

  private take(
    answer: SavepointOperation & { readonly kind: 'savepoint' | 'checkpoint' },
    place: (question: string) => string | undefined,
  ): SavepointOperation {
    const { triggerId } = answer;
    if (this.operations.has(triggerId)) return answer;
    const operation: Operation = {};
    this.operations.set(triggerId, operation);
    const { sim } = this.truth;
    const question = `${this.config.question} ${answer.kind} ${triggerId}`;
    sim.after(sim.draws.between(`${question} takes`, 200, 6_000), () => {
      if (this.host?.lives() !== true) return;
      operation.doneAt = sim.now;
      operation.done = 'FAILED';
      if (!this.host.runs() || this.stopping || sim.draws.chance(`${question} fails`, 0.15)) return;
      operation.done = 'COMPLETED';
      const path = place(question);
      if (path === undefined) return void this.complete();
      operation.path = path;
      this.completeAt(path, true);
    });
    return answer;
  }

  private savepointPath(directory: string, question: string): string {
    const name = this.truth.sim.draws.whole(`${question} name`, 100_000, 999_999);
    return `${directory.replace(/\/+$/, '')}/savepoint-${name}`;
  }

  /** The state of a job that has finished goes, as far as it is no savepoint; that of one that was canceled, unless it is kept. */
  ended(end: string): void {
    const stays = end === 'CANCELED' ? this.config.retains : end !== 'FINISHED';
    if (!stays) for (const path of this.retained) this.remove(path);
  }

  private savepoint(operation: Operation, question: string, directory: string): void {
    if (this.host?.runs() !== true) return;
    const { sim } = this.truth;
    if (operation.how === 'declined') return this.goOn(operation);
    if (operation.how === 'hangs') return sim.after(30_000, () => this.goOn(operation));
    const path = this.savepointPath(directory, question);
    operation.path = path;
    this.completeAt(path, true);
    sim.after(sim.draws.between(`${question} ends`, 20, 3_000), () => {
      if (this.host?.lives() !== true) return;
      if (operation.how === 'restarts when stopping') return this.goOn(operation);
      operation.done = operation.how === 'completes' ? 'COMPLETED' : 'FAILED';
      operation.doneAt = sim.now;
      this.host.end(operation.how === 'completes' ? 'FINISHED' : 'FAILED');
    });
  }

  private goOn(operation: Operation): void {
    operation.done = 'FAILED';
    operation.doneAt = this.truth.sim.now;
    this.stopping = false;
  }

  private checkpointLater(): void {
    const { sim } = this.truth;
    const { question, pace } = this.config;
    if (pace === undefined) return;
    sim.after(sim.draws.between(`${question} checkpoint ${this.next}`, ...pace), () => {
      if (this.host?.lives() !== true) return;
      if (this.host.runs() && !this.stopping && !sim.draws.chance(`${question} ${sim.now} fails`, 0.1)) this.complete();
      this.checkpointLater();
    });
  }

  /** Completes a checkpoint; answers its path. */
  complete(): string | undefined {
    const { checkpoints } = this.config;
    if (checkpoints === undefined) {
      this.next += 1;
      this.taken += 1;
      return undefined;
    }
    const path = `${checkpoints}/${this.host?.jobId ?? ''}/chk-${this.next}`;
    this.completeAt(path, false);
    this.retained.push(path);
    for (const old of this.retained.splice(0, Math.max(0, this.retained.length - RETAINED))) this.remove(old);
    return path;
  }

  private remove(path: string): void {
    this.truth.remove(path, this.host?.jobId ?? '');
  }

  completeAt(path: string, isSavepoint: boolean): void {
    const { truth, config } = this;
    const id = this.next;
    this.next += 1;
    this.taken += 1;
    this.newest = { id, path, isSavepoint, at: Math.round(truth.sim.now), bytes: 1_000 };
    const snapshot = { name: config.name, jobId: this.host?.jobId ?? '', path, id, isSavepoint };
    truth.completed(snapshot, flinkMetadata(id, OPERATORS), config.isPlain());
  }
}
