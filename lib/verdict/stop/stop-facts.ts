import type { Snapshot } from '../../state/snapshot.ts';

/** What a look found out of a run that was asked to stop with a savepoint, ever. */
export interface StopFacts {
  /** What Flink says of the open try; absent: there is none, or no answer. `unknown`: this JobManager never heard of it. */
  readonly operation?: SavepointOperationFacts;
  /** The newest complete savepoint of all tries; null: there is none. Absent: it was not looked for. */
  readonly savepoint?: Snapshot | null;
  /** The newest that the JobManager tells of, of a job that has ended, or goes on without a word of the stop; or that is stored. */
  readonly newest?: Snapshot;
}

export interface SavepointOperationFacts {
  readonly ordinal: number;
  readonly state: 'in-progress' | 'completed' | 'failed' | 'unknown';
  /** Of one that failed. */
  readonly message?: string;
}

/** Whether a savepoint is what the job left last: after it nothing newer was completed. */
export function isNewest(savepoint: Snapshot, { newest }: StopFacts): boolean {
  return (savepoint.checkpointId ?? Infinity) >= (newest?.checkpointId ?? 0);
}
