import { describe, expect, it } from 'vitest';
import { findInLog } from '../../lib/diagnosis/log-findings.ts';
import { stateTroubleIn } from '../../lib/diagnosis/state-trouble.ts';

const UID = 'c27dcf7b54ef6bfd6cff02ca8870b681';
const CASES = [
  [
    'StateIncompatible',
    `java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint s3://b/savepoint-1. Cannot map checkpoint/savepoint state for operator ${UID} to the new program, because the operator is not available in the new program. If you want to allow to skip this, you can set the --allowNonRestoredState option on the CLI.`,
  ],
  [
    'StateIncompatible',
    `java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint Checkpoint Metadata. Max parallelism mismatch between checkpoint/savepoint state and new program. Cannot map operator ${UID} with max parallelism 128 to new program with max parallelism 4.`,
  ],
  [
    'StateIncompatible',
    'org.apache.flink.util.StateMigrationException: For heap backends, the new state serializer (x) must not be incompatible with the old state serializer (y).',
  ],
  [
    'StateIncompatible',
    `java.lang.IllegalStateException: The state for task ${UID} can not be restored. The maximum parallelism (2) of the restored state is lower than the configured parallelism (4). Please reduce the parallelism of the task to be lower or equal to the maximum parallelism.`,
  ],
  ['StateIncompatible', `java.lang.IllegalStateException: There is no operator for the state ${UID}`],
  [
    'StateUnreadable',
    "java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory 's3://b/gone' on file system 's3'.",
  ],
  [
    'StateUnreadable',
    "java.io.FileNotFoundException: Cannot find meta data file '_metadata' in directory 's3://b/savepoint-1'. Please try to load the checkpoint/savepoint directly from the metadata file instead of the directory.",
  ],
  [
    'StateUnreadable',
    'java.io.IOException: Unexpected magic number. This can have multiple reasons: (1) You are trying',
  ],
] as const;

describe('trouble with the state of a job', () => {
  it.each(CASES)('is %s: %s', (reason, line) => {
    const trace = `java.util.concurrent.CompletionException: w\n\tat a.B.c(D.java:1)\nCaused by: ${line}\n\tat e.F.g(H.java:2)`;
    const trouble = stateTroubleIn(trace);
    expect(trouble?.reason).toBe(reason);
    expect(line).toContain(trouble?.message.slice(0, 60));
  });

  it.each(CASES)('is %s in the log of a JobManager that died of it: %s', (reason, line) => {
    const log =
      '2026-11-21 06:00:00,000 ERROR org.apache.flink.runtime.entrypoint.ClusterEntrypoint [] - Fatal error occurred in the cluster entrypoint.\n' +
      `java.util.concurrent.CompletionException: w\n\tat a.B.c(D.java:1)\nCaused by: ${line}\n\tat e.F.g(H.java:2)`;
    expect(findInLog(log)).toMatchObject({ reason });
  });

  it('is not what a program says of other things', () => {
    expect(stateTroubleIn('java.lang.IllegalStateException: no such mode\n\tat a.B')).toBeUndefined();
  });
});
