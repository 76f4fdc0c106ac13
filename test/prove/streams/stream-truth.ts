import type { ScaledJob } from '../../fakes/scaled-job.ts';
import type { MemoryS3 } from '../servers/s3.ts';
import type { Simulation } from '../simulation.ts';
import type { StreamConfig } from './stream-job.ts';

/** A snapshot that Flink truly completed. */
export interface Completed {
  readonly name: string;
  readonly jobId: string;
  readonly path: string;
  /** How often the state had been changed by then: Flink counts on from what it restored. */
  readonly id: number;
  readonly isSavepoint: boolean;
}

const BUCKET = 's3://';

/**
 * What the jobs of all streams truly did: which state is complete, which is the newest, and from which a job began. Each
 * record changes the state of a stream once; a job that begins from an older state than the newest does some again, and one
 * that begins from nothing loses all.
 */
export class StreamTruth {
  readonly sim: Simulation;
  private readonly s3: MemoryS3;
  private readonly check: (invariant: string, holds: boolean, detail: () => string) => void;
  /** By stream, in the order in which they were completed; those of before an order to begin elsewhere are left out. */
  private readonly snapshots = new Map<string, Completed[]>();
  /** By path: every one that ever was. */
  private readonly known = new Map<string, Completed>();
  /** Every job that began, in order, and the paths of its state and of the newest that there was. */
  readonly begun: {
    readonly jobId: string;
    readonly path: string | undefined;
    readonly newest: string | undefined;
  }[] = [];
  /** Of every savepoint that a job was to stop with, in order. */
  readonly stopDirectories: string[] = [];
  /** How many subtasks the jobs have that are rescaled, by the ids of jobs. */
  readonly scaled = new Map<string, ScaledJob>();
  /** Jobs that Kubernetes began anew from where their attempt began: what they complete from then on is nobody's state. */
  private readonly begunAgain = new Set<string>();
  /** Jobs of a run from before it was one of a stream. */
  private readonly plain = new Set<string>();

  constructor(sim: Simulation, s3: MemoryS3, check: StreamTruth['check']) {
    this.sim = sim;
    this.s3 = s3;
    this.check = check;
  }

  completed(snapshot: Completed, metadata: Uint8Array, isPlain = false): void {
    this.store(snapshot, metadata);
    if (isPlain || this.begunAgain.has(snapshot.jobId)) return;
    this.chain(snapshot.name).push(snapshot);
    this.sim.tell('flink', `${snapshot.name} completes ${snapshot.path} (${snapshot.id})`);
  }

  /** A run of its own, whose state nobody kept, is one of a stream from now on: what its job of now has completed counts. */
  adopt(name: string, jobs: readonly string[]): void {
    for (const jobId of jobs.slice(0, -1)) this.plain.add(jobId);
    const own = [...this.known.values()].filter(({ jobId }) => jobId === jobs.at(-1));
    this.snapshots.set(streamOf(name), own);
  }

  /** What somebody brings along, of no stream. */
  bring(path: string, id: number, metadata: Uint8Array): void {
    this.store({ name: '', jobId: '', path, id, isSavepoint: true }, metadata);
  }

  private store(snapshot: Completed, metadata: Uint8Array): void {
    this.known.set(snapshot.path, snapshot);
    this.s3.store(`${keyOf(snapshot.path)}/_metadata`, metadata);
  }

  /** By a job, of what is old. */
  remove(path: string, jobId: string): void {
    const owner = this.known.get(path)?.jobId;
    this.check('I6: a job removes what is its own alone', owner === jobId, () => `${jobId} removes ${path}`);
    this.s3.objects.delete(`${keyOf(path)}/_metadata`);
  }

  isThere(path: string): boolean {
    return this.s3.objects.has(`${keyOf(path)}/_metadata`);
  }

  /** The newest checkpoint of a job, as its high availability has it. */
  recovered(jobId: string): string | undefined {
    const own = [...this.snapshots.values()].flat().filter((one) => one.jobId === jobId && !one.isSavepoint);
    return own.filter(({ path }) => this.isThere(path)).at(-1)?.path;
  }

  /** The newest of a stream that is complete: by the number that Flink counts on from what it restored. */
  newest(name: string): Completed | undefined {
    const there = this.chain(name).filter(({ path }) => this.isThere(path));
    return there.sort((a, b) => a.id - b.id).at(-1);
  }

  /** A job begins; answers the number of what it restored, and `undefined` when it has none, or cannot read it. */
  restore(
    { name, isPlain }: StreamConfig,
    jobId: string,
    path: string | undefined,
    recovers: boolean,
  ): number | undefined {
    this.sim.tell('flink', `${name} begins from ${path ?? 'nothing'}`);
    const from = path === undefined ? undefined : this.known.get(path);
    const newest = this.newest(name);
    this.begun.push({ jobId, path, newest: newest?.path });
    if (isPlain()) return from?.id;
    if (!recovers && newest?.jobId === jobId) this.begunAgain.add(jobId);
    this.check(
      'I3, I4: no job begins from an older state than the newest',
      recovers || mayFollow(newest, jobId, from),
      () => `${name} begins from ${path ?? 'nothing'}, and ${newest?.path ?? ''} is complete`,
    );
    return path !== undefined && this.isThere(path) ? from?.id : undefined;
  }

  /** Somebody ordered that the next job begins so: what was before is no state of the stream any more. */
  follow(name: string, path: string | undefined): void {
    const from = path === undefined ? undefined : this.known.get(path);
    this.snapshots.set(streamOf(name), from === undefined ? [] : [from]);
  }

  /** Something that one of these jobs has completed. */
  completedBy(jobs: readonly string[]): string | undefined {
    return [...this.known.values()].find(({ jobId }) => jobs.includes(jobId))?.path;
  }

  /** The newest of these jobs that is there. */
  newestBy(jobs: readonly string[]): Completed | undefined {
    const own = jobs.filter((jobId) => !this.plain.has(jobId));
    const there = [...this.known.values()].filter(({ jobId, path }) => own.includes(jobId) && this.isThere(path));
    return there.sort((a, b) => a.id - b.id).at(-1);
  }

  find(path: string): Completed | undefined {
    return this.known.get(path);
  }

  /** Of nothing, 0. */
  numberOf(path: string | undefined): number {
    return (path === undefined ? undefined : this.known.get(path))?.id ?? 0;
  }

  /** Whether it is a state that its stream had on its present way. */
  isOfChain(path: string): boolean {
    const found = this.known.get(path);
    return found !== undefined && this.chain(found.name).includes(found);
  }

  /** Of a job that Kubernetes began anew while nobody could look: it has gone on for longer than what it had before. */
  isLastOfBegunAgain(path: string | undefined): boolean {
    const { jobId, id = 0 } = (path === undefined ? undefined : this.known.get(path)) ?? {};
    if (jobId === undefined || !this.begunAgain.has(jobId)) return false;
    return [...this.known.values()].every((one) => one.jobId !== jobId || !this.isThere(one.path) || one.id <= id);
  }

  /** Every path at which a complete savepoint lies. */
  savepoints(): readonly string[] {
    const all = [...this.known.values()].filter(({ isSavepoint, name }) => isSavepoint && name !== '');
    return all.map(({ path }) => path).filter((path) => this.isThere(path));
  }

  private chain(name: string): Completed[] {
    const stream = streamOf(name);
    const found = this.snapshots.get(stream) ?? [];
    this.snapshots.set(stream, found);
    return found;
  }
}

/** A job that Kubernetes starts again begins where its attempt began, although it has completed newer state. */
function mayFollow(newest: Completed | undefined, jobId: string, from: Completed | undefined): boolean {
  return newest === undefined || newest.jobId === jobId || (from?.id ?? 0) >= newest.id;
}

/** `s1-g2` → `s1` */
export function streamOf(name: string): string {
  return name.replace(/-g\d+$/, '');
}

/** In the simulated S3: `s3://state/x` → `state/x` */
export function keyOf(path: string): string {
  return path.slice(BUCKET.length).replace(/\/+$/, '');
}
