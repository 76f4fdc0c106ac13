import type { Reason } from '../core/reasons.ts';

/** Why Flink cannot begin a job from its state. */
export interface StateTrouble {
  readonly reason: Extract<Reason, 'StateIncompatible' | 'StateUnreadable'>;
  /** In Flink's words. */
  readonly message: string;
}

export interface StatePattern {
  readonly reason: StateTrouble['reason'];
  /** The Java class that says so. */
  readonly writtenBy: string;
  readonly pattern: RegExp;
}

/** What it says of the state of the program before, and of the files of a snapshot. */
export const STATE_PATTERNS: readonly StatePattern[] = [
  {
    reason: 'StateUnreadable',
    writtenBy: 'org.apache.flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess',
    pattern: /Cannot find (?:checkpoint or savepoint file\/directory|meta data file) '[^\n]*/g,
  },
  {
    reason: 'StateUnreadable',
    writtenBy: 'org.apache.flink.runtime.checkpoint.Checkpoints',
    pattern: /Unexpected magic number\. This can have multiple reasons[^\n]*/g,
  },
  {
    reason: 'StateIncompatible',
    writtenBy: 'org.apache.flink.runtime.checkpoint.Checkpoints',
    pattern: /Failed to rollback to checkpoint\/savepoint [^\n]*? (?:Cannot map|Max parallelism mismatch)[^\n]*/g,
  },
  {
    reason: 'StateIncompatible',
    writtenBy: 'org.apache.flink.runtime.checkpoint.StateAssignmentOperation',
    pattern:
      /The state for task \S+ can not be restored\.[^\n]*|The maximum parallelism \(\d+\) with which the latest checkpoint of the execution job vertex [^\n]*|There is no operator for the state \S+/g,
  },
  {
    reason: 'StateIncompatible',
    writtenBy: 'org.apache.flink.util.StateMigrationException',
    pattern: /\bStateMigrationException: [^\n]*/g,
  },
];

/** The first that an exception's text tells of. */
export function stateTroubleIn(text: string): StateTrouble | undefined {
  for (const { reason, pattern } of STATE_PATTERNS) {
    const [found] = text.match(pattern) ?? [];
    if (found !== undefined) return { reason, message: found.trim() };
  }
  return undefined;
}

/** One sentence of it. */
export function stateSentence({ reason, message }: StateTrouble): string {
  const what = reason === 'StateUnreadable' ? 'Flink cannot read the state' : 'The program does not take the state';
  return `${what}: ${message}`;
}
