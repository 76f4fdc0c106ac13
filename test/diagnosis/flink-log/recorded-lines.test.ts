import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAILURES } from '../../../lib/diagnosis/flink-log/failures.ts';
import { findInLog } from '../../../lib/diagnosis/log-findings.ts';
import { jobEndsInLog } from '../../../lib/diagnosis/terminal-state-log.ts';
import { jobOutcome } from '../../../lib/verdict/job-outcome.ts';
import { rootException } from '../../../lib/flink/rest/root-exception.ts';
import { jobOf, NOW, runIn } from '../../verdict/observations.ts';

const FIXTURES = 'test/fixtures/';
/** Of real JobManagers: see test/cluster/support/record.ts. */
const RECORDED = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('jobmanager.txt'))
  .map((name) => readFileSync(FIXTURES + name, 'utf8'));

/** Lines that no recording has, as the source of the class writes them. */
const WRITTEN: Readonly<Record<string, string>> = {
  ImageUnsuitable: 'exec /docker-entrypoint.sh: exec format error',
  EntryClassMissing: "Neither a 'Main-Class', nor a 'program-class' entry was found in the jar file.",
  MainClassMissing: 'The class com.acme.Job has no main(String[]) method.',
  PodEvicted:
    'Worker c-taskmanager-1-1 is terminated. Diagnostics: Pod terminated, container termination statuses: [], pod status: Failed(reason=Evicted, message=The node was low on resource: memory.)',
  SidecarFailed:
    'Worker c-taskmanager-1-1 is terminated. Diagnostics: Pod terminated, container termination statuses: [proxy(exitCode=0, reason=Completed, message=null)]',
  JobManagerOutOfMemory: 'Terminating due to java.lang.OutOfMemoryError: Java heap space',
  'org.apache.flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess':
    "java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory 's3://b/gone' on file system 's3'.",
  'org.apache.flink.runtime.checkpoint.Checkpoints': [
    'java.io.IOException: Unexpected magic number. This can have multiple reasons: (1) You are trying to load a Flink 1.0',
    'java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint s3://b/sp. Cannot map checkpoint/savepoint state for operator c27d to the new program, because the operator is not available in the new program.',
  ].join('\n'),
  'org.apache.flink.runtime.checkpoint.StateAssignmentOperation':
    'java.lang.IllegalStateException: There is no operator for the state c27dcf7b54ef6bfd6cff02ca8870b681',
  'org.apache.flink.util.StateMigrationException':
    'org.apache.flink.util.StateMigrationException: The new key serializer (x) must be compatible with the previous key serializer (y).',
  'org.apache.flink.client.python.PythonDriver': 'java.lang.RuntimeException: Python process exits with code: 1',
  'org.apache.flink.configuration.Configuration': "Could not parse value 'sideways' for key 'a.b'.",
  'org.apache.flink.client.deployment.application.executors.EmbeddedExecutor':
    "org.apache.flink.api.common.InvalidProgramException: 'a' is not supported in non-HA setups",
};

describe('each pattern of a failure', () => {
  it.each(FAILURES.map((failure, index) => [`${index} ${failure.reason} of ${failure.writtenBy}`, failure] as const))(
    '%s matches a line that was recorded, or written as the class writes it',
    (_name, { reason, writtenBy, matches }) => {
      const lines = [...RECORDED, WRITTEN[reason] ?? '', WRITTEN[writtenBy] ?? ''];
      const found = lines.flatMap((text) => matches(text));
      expect(found.length).toBeGreaterThan(0);
      expect(found.every(({ message }) => message.length > 3)).toBe(true);
    },
  );
});

it('the end of a job is told by both of its recorded lines', () => {
  const logs = RECORDED.filter(
    (log) => log.includes('switched from state RUNNING to FINISHED') && /Job \w{32} /.test(log),
  );
  expect(logs.length).toBeGreaterThan(1);
  for (const log of logs) {
    for (const words of [' switched from state ', ' reached terminal state ']) {
      const lines = log.split('\n').filter((line) => line.includes('Job ') && line.includes(words));
      expect(jobEndsInLog(lines.join('\n')).map(({ state }) => state)).toEqual(['FINISHED']);
    }
  }
});

it('a Python program that fails is told by what Python printed', () => {
  const at = '2026-01-01 10:00:00,123';
  const print = (line: string): string => `${at} INFO  org.apache.flink.client.python.PythonDriver [] - ${line}\n`;
  const lines = [
    'Traceback (most recent call last):',
    '  File "/opt/job.py", line 9, in <module>',
    '    run()',
    'ValueError: no table',
    '--------------------------- Python Process Exited ---------------------------',
  ];
  const error = `${at} ERROR org.apache.flink.client.python.PythonDriver [] - Run python process failed\njava.lang.RuntimeException: Python process exits with code: 1\n\tat a.B.c(B.java:1)\n`;
  const found = findInLog(lines.map(print).join('') + error);
  expect(found).toMatchObject({ reason: 'ApplicationFailed', message: 'main() failed: ValueError: no table' });
});

it("a job that failed in a user's Python function says so in its message", () => {
  const frames = Array.from({ length: 60 }, (_, n) => `  File "/opt/job.py", line ${n}, in f\n    return f(row)`);
  const said =
    'Caused by: java.lang.RuntimeException: Error received from SDK harness for instruction 4: Traceback (most recent call last):';
  const trace = [
    'a.JobException: no\n\tat a.B.c(B.java:1)',
    said,
    ...frames,
    "KeyError: 'customer_id'",
    '',
    '\tat a.D.e(D.java:1)',
  ];
  const result = { answers: {}, rootException: rootException(trace.join('\n')) };
  const job = jobOf(runIn('running', 0), { state: 'FAILED' });
  expect(jobOutcome(job, { result, finding: undefined, log: '' }, NOW)).toMatchObject({
    message: "The job failed: KeyError: 'customer_id'",
    rootException: "KeyError: 'customer_id'",
  });
});
