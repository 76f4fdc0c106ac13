import type { Clock } from '../../../lib/core/clock.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type {
  CompletedCheckpoint,
  JobCheckpoints,
  Savepoints,
  SavepointStatus,
} from '../../../lib/flink/job-manager.ts';
import { below } from '../../../lib/state/storage.ts';
import type { FakeStateStorage } from '../../fakes/state-storage.ts';

/** What becomes of a stop with a savepoint; `stops-badly`: the savepoint is complete, and the job fails (FLINK-33522). */
export type StopEnd = 'completes' | 'fails' | 'hangs' | 'stops-badly';

interface Operation {
  readonly endsAt: number;
  readonly directory: string;
  readonly end: StopEnd;
  path?: string;
}

interface StreamJob {
  jobId: string;
  next: number;
  newest?: CompletedCheckpoint;
  restored?: string;
  ended?: { readonly at: number; readonly state: 'FINISHED' | 'FAILED' };
  readonly operations: Map<string, Operation>;
}

const STOP_TAKES = 1_000;

/** The state of jobs that never end by themselves, by cluster: checkpoints when the test says so, savepoints as asked. */
export class FakeStreams {
  /** Each stop uses up one; the last one holds for all further. */
  ends: readonly StopEnd[] = ['completes'];
  /** Directories of every savepoint that was begun, in order. */
  readonly begun: string[] = [];
  /** JobManagers that know no operation: they are others than those that were asked. */
  forgetful = false;
  private readonly jobs = new Map<string, StreamJob>();
  private readonly state: FakeStateStorage;
  private readonly clock: Clock;

  constructor(state: FakeStateStorage, clock: Clock) {
    this.state = state;
    this.clock = clock;
  }

  begin(clusterId: string, jobId: string, restored: string | undefined): void {
    const from = restored === undefined ? undefined : this.state.complete.get(restored);
    const next = (from?.checkpointId ?? 0) + 1;
    this.jobs.set(clusterId, { jobId, next, ...(restored === undefined ? {} : { restored }), operations: new Map() });
  }

  /** What the job of each cluster began from, in order. */
  get restored(): readonly (string | undefined)[] {
    return [...this.jobs.values()].map(({ restored }) => restored);
  }

  /** Completes a checkpoint now; answers its path. */
  checkpoint(clusterId: string, directory: string): string {
    const job = this.of(clusterId);
    const path = below(directory, job.jobId, `chk-${job.next}`);
    this.complete(job, path, false);
    return path;
  }

  endOf(clusterId: string): StreamJob['ended'] {
    const job = this.jobs.get(clusterId);
    if (job !== undefined) this.settle(job);
    return job?.ended;
  }

  checkpoints(clusterId: string): JobCheckpoints {
    const job = this.of(clusterId);
    this.settle(job);
    return { ...(job.newest && { newest: job.newest }), completedSinceRestore: job.next - 1, failed: 0, inProgress: 0 };
  }

  savepoints(clusterId: string): Savepoints {
    const unused = (): never => {
      throw new Error('no run asks for that');
    };
    return {
      ...{ trigger: unused, dispose: unused, checkpoint: unused },
      stop: (jobId, { triggerId = '', targetDirectory = '' }) =>
        Promise.resolve().then(() => {
          const job = this.of(clusterId);
          if (job.jobId !== jobId) throw new DispatchError('JobNotFound', 'no such job (test)');
          if (!job.operations.has(triggerId)) {
            const end = this.ends[this.begun.length] ?? this.ends.at(-1) ?? 'completes';
            job.operations.set(triggerId, { endsAt: this.clock.now() + STOP_TAKES, directory: targetDirectory, end });
            this.begun.push(targetDirectory);
          }
          return { kind: 'savepoint', jobId, triggerId };
        }),
      status: ({ triggerId }) => Promise.resolve().then(() => this.status(clusterId, triggerId)),
    };
  }

  private status(clusterId: string, triggerId: string): SavepointStatus {
    const job = this.of(clusterId);
    this.settle(job);
    const operation = job.operations.get(triggerId);
    if (operation === undefined || this.forgetful) throw new DispatchError('OperationNotFound', 'forgotten (test)');
    if (this.clock.now() < operation.endsAt || operation.end === 'hangs') return { status: 'IN_PROGRESS' };
    if (operation.end === 'completes') return { status: 'COMPLETED', location: operation.path ?? '' };
    const message = 'org.apache.flink.runtime.checkpoint.CheckpointException: expired (test)';
    return { status: 'FAILED', cause: { message, stackTrace: message } };
  }

  /** What has become of its operations by now. */
  private settle(job: StreamJob): void {
    for (const operation of job.operations.values()) {
      if (operation.path !== undefined || this.clock.now() < operation.endsAt) continue;
      if (operation.end !== 'completes' && operation.end !== 'stops-badly') continue;
      operation.path = `${operation.directory}savepoint-${job.jobId.slice(0, 6)}-${job.next}`;
      this.complete(job, operation.path, true);
      job.ended = { at: operation.endsAt, state: operation.end === 'completes' ? 'FINISHED' : 'FAILED' };
    }
  }

  private complete(job: StreamJob, path: string, isSavepoint: boolean): void {
    const at = this.clock.now();
    job.newest = { id: job.next, path, isSavepoint, at, bytes: 10 };
    this.state.complete.set(path, { at, bytes: 24, checkpointId: job.next });
    job.next += 1;
  }

  private of(clusterId: string): StreamJob {
    const job = this.jobs.get(clusterId);
    if (job === undefined) throw new DispatchError('RestUnreachable', 'no JobManager (test)');
    return job;
  }
}
