import { describe, expect, it } from 'vitest';
import { findInLog } from '../../../lib/diagnosis/log-findings.ts';
import { readLog } from '../../../lib/diagnosis/flink-log/read-log.ts';
import { jobEndsInLog } from '../../../lib/diagnosis/terminal-state-log.ts';
import { LAYOUTS } from './layouts.ts';

const ID = '0f779951a567e5852aff718844e93e6b';
const STACK = `org.apache.flink.util.FlinkException: Could not start the JobManager.
\tat org.apache.flink.X.y(X.java:1)
Caused by: java.io.IOException: Cannot reach bucket warehouse: 403
\tat org.apache.flink.X.z(X.java:2)
\t... 3 more`;
const MAIN_STACK = `org.apache.flink.client.program.ProgramInvocationException: The main method caused an error: boom
\tat org.apache.flink.client.program.PackagedProgram.callMainMethod(PackagedProgram.java:372)
Caused by: java.lang.IllegalStateException: table orders has no primary key
\tat com.acme.Job.main(Job.java:20)
\t... 3 more`;
const ROOT = 'java.io.IOException: Cannot reach bucket warehouse: 403';
const MAIN_ROOT = 'java.lang.IllegalStateException: table orders has no primary key';

const stateIn = (log: string): string | undefined => jobEndsInLog(log).find(({ id }) => id === ID)?.state;

describe.each(Object.entries(LAYOUTS))('a log in the layout: %s', (_name, layout) => {
  it('tells the level and the message of each event', () => {
    const entries = readLog(layout('INFO', 'Starting') + layout('ERROR', 'Fatal - of: all', STACK));
    expect(entries.map(({ level, logged }) => [level, logged])).toEqual([
      ['INFO', true],
      ['ERROR', true],
      ...(entries.length > 2 ? [[undefined, false]] : []),
    ]);
    expect(entries[0]?.message).toBe('Starting');
    expect(entries[1]?.message).toBe('Fatal - of: all');
  });

  it('tells the root cause of the error that ended the JobManager', () => {
    const log =
      layout('INFO', 'Starting') +
      layout('WARN', 'Survived', 'a.OtherException: not this\n\tat a.B.c(B.java:1)') +
      layout('ERROR', 'Fatal error occurred in the cluster entrypoint.', STACK) +
      layout('INFO', 'Shutting down: a.LaterException: nor this');
    const message = `The JobManager stopped: ${ROOT}`;
    expect(findInLog(log)).toMatchObject({ reason: 'JobManagerCrashed', message, rootException: ROOT });
  });

  it('tells why main() failed', () => {
    const log =
      layout('INFO', 'Starting') +
      layout('WARN', 'Application failed unexpectedly:', MAIN_STACK) +
      layout('ERROR', 'Could not execute application', MAIN_STACK) +
      layout('ERROR', 'Shutdown was not clean', 'a.LaterException: not this\n\tat a.B.c(B.java:1)');
    const message = `main() failed: ${MAIN_ROOT}`;
    expect(findInLog(log)).toMatchObject({ reason: 'ApplicationFailed', message, rootException: MAIN_ROOT });
  });

  it('tells how a job ended, and why', () => {
    const failed = layout('INFO', `Job word count (v2) (${ID}) switched from state FAILING to FAILED.`, MAIN_STACK);
    expect(jobEndsInLog(failed + layout('INFO', 'Stopping'))).toMatchObject([
      { id: ID, name: 'word count (v2)', state: 'FAILED', rootException: { message: MAIN_ROOT } },
    ]);
    const finished = layout('INFO', `Job w (${ID}) switched from state RUNNING to FINISHED.`);
    expect(stateIn(finished)).toBe('FINISHED');
  });

  it('tells it by the line of the Dispatcher too', () => {
    const trace =
      'org.apache.flink.util.FlinkException: no\n\tat a.B.c(B.java:1)\nCaused by: a.CException: root\n\tat a.D.e(D.java:1)';
    const log = layout('INFO', `Job ${ID} reached terminal state FAILED.`, trace) + layout('INFO', 'Stopping');
    expect(jobEndsInLog(log)).toMatchObject([
      { id: ID, state: 'FAILED', rootException: { message: 'a.CException: root' } },
    ]);
    expect(stateIn(log)).toBe('FAILED');
  });

  it('tells no root cause where none was logged', () => {
    const log = layout('ERROR', 'Fatal error occurred in the cluster entrypoint.') + layout('INFO', 'a.BException: no');
    expect(findInLog(log)).toBeUndefined();
    const ended = layout('INFO', `Job ${ID} reached terminal state FAILED.`) + layout('INFO', 'a.BException: no');
    expect(jobEndsInLog(ended)).toEqual([{ id: ID, state: 'FAILED' }]);
  });
});

describe('lines of a log that are no event of it', () => {
  const event = LAYOUTS["Flink's log4j"] ?? (() => '');
  const jsonEvent = LAYOUTS['JSON: ECS with dots'] ?? (() => '');

  it.each([
    ['a message that names a level', 'ERROR: column "a" - does not exist'],
    ['a line of a message with a dash', 'ERROR while reading - see below'],
    ['a frame', '\tat a.B.c(B.java:1)'],
    ['a cause', 'Caused by: a.BException: 10:00:00 is no date'],
    ['a date alone', '2026-01-01 is no time'],
    ['a line that is cut JSON', '{"message":"cut'],
    ['JSON of a program', '{"orders": 7}'],
  ])('%s belongs to the event before it', (_what, line) => {
    const [entry, ...more] = readLog(`${event('ERROR', 'first')}${line}`);
    expect(more).toEqual([]);
    expect(entry?.below).toBe(line);
  });

  it('what the JVM prints of a thread that nobody caught is no part of an event', () => {
    const printed = 'Exception in thread "main" a.BException: not caught\n\tat a.B.c(B.java:1)\n';
    for (const layout of [event, jsonEvent]) {
      const log = layout('INFO', 'Starting') + printed + layout('INFO', 'Stopping');
      expect(readLog(log)[1]).toMatchObject({ level: undefined, logged: false });
      expect(findInLog(log)?.rootException).toBe('a.BException: not caught');
    }
  });

  it('the rest of an event that a cut left over is no trouble', () => {
    const rest = '\tat a.B.c(B.java:1)\nCaused by: a.BException: of what?\n\tat a.B.c(B.java:1)\n';
    expect(findInLog(rest + event('INFO', 'Going on'))).toBeUndefined();
    expect(findInLog(rest + jsonEvent('INFO', 'Going on'))).toBeUndefined();
  });

  it('a task without memory does not say that the JobManager has none', () => {
    const oom = 'java.lang.OutOfMemoryError: Java heap space\n\tat a.B.c(B.java:1)';
    const switched = event('WARN', 'Source (1/1) switched from RUNNING to FAILED on x.', oom);
    expect(findInLog(switched + event('INFO', 'Going on'))).toBeUndefined();
    expect(findInLog(event('ERROR', 'Fatal error in the cluster entrypoint.', oom))?.reason).toBe(
      'JobManagerOutOfMemory',
    );
  });

  it('a job that goes on after a failure has not ended, and a success carries no exception', () => {
    const trace = 'a.BException: survived\n\tat a.B.c(B.java:1)';
    const failing = event('INFO', `Job w (${ID}) switched from state RUNNING to RESTARTING.`, trace);
    expect(jobEndsInLog(failing)).toEqual([]);
    const finished = event('INFO', `Job ${ID} reached terminal state FINISHED.`, trace);
    expect(jobEndsInLog(failing + finished)).toEqual([{ id: ID, name: 'w', state: 'FINISHED' }]);
    const suspended = event('INFO', `Job ${ID} reached terminal state SUSPENDED.`);
    expect(jobEndsInLog(finished + suspended)).toEqual([]);
  });

  it('the name and the exception of a job may stand in different lines', () => {
    const trace = 'a.BException: root\n\tat a.B.c(B.java:1)';
    const named = event('INFO', `Job w (${ID}) switched from state FAILING to FAILED.`, trace);
    const other = event('INFO', `Job ${'a'.repeat(32)} reached terminal state CANCELED.`);
    expect(jobEndsInLog(named + other + event('INFO', `Job ${ID} reached terminal state FAILED.`))).toMatchObject([
      { id: ID, name: 'w', state: 'FAILED', rootException: { message: 'a.BException: root' } },
      { id: 'a'.repeat(32), state: 'CANCELED' },
    ]);
  });
});
