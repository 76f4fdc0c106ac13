import { describe, expect, it } from 'vitest';
import { generateShapes } from './generate.ts';
import { disagreements, readFlinkWord } from './judge.ts';

const ID = '0123456789abcdef0123456789abcdef';
const line = (message: string): string => `2026-11-21 01:02:03,004 INFO  org.apache.flink.X [] - ${message}\n`;
const ended = (name: string, state: string): string =>
  line(`Job ${name} (${ID}) switched from state RUNNING to ${state}.`);
const event = (state: string, reason: string, message: string, jobs: object[] = []) =>
  ({ state, reason, message, jobs }) as unknown as Parameters<typeof disagreements>[1];
const job = { id: ID, name: 'job', state: 'FINISHED' };

describe('a shape', () => {
  it('is drawn once, and always the same', () => {
    const shapes = generateShapes(1, 50);
    expect(new Set(shapes).size).toBe(50);
    expect(generateShapes(1, 50)).toEqual(shapes);
    expect(generateShapes(2, 50)).not.toEqual(shapes);
  });

  it.each([
    [
      'STEP job\n' + ended('job', 'FINISHED') + 'STEP returned\n' + line('Application completed SUCCESSFULLY'),
      event('succeeded', 'JobFinished', 'The job finished', [job]),
    ],
    [
      'STEP job\n' + ended('job', 'FINISHED') + 'STEP throw\n' + line('Application failed unexpectedly: '),
      event('failed', 'ApplicationFailed', 'main() failed: IllegalStateException: main() threw', [job]),
    ],
    ['STEP exit3\n', event('failed', 'ApplicationFailed', 'main() called System.exit(3)')],
    [
      'STEP job\n' + ended('job', 'FINISHED') + 'STEP exit0\n',
      event('unknown', 'OutcomeUnknown', 'The job finished, and main() called System.exit(); its code is not known', [
        job,
      ]),
    ],
    [
      'STEP job\n' + ended('job', 'FINISHED') + 'STEP exit0\n',
      event('succeeded', 'JobFinished', 'The job finished, and main() called System.exit(0)', [job]),
    ],
  ])('agrees with %j', (log, told) => {
    expect(disagreements(readFlinkWord(log), told)).toEqual([]);
  });

  it('does not agree with another end, other jobs, or a log without an end', () => {
    const failed = 'STEP fail\n' + ended('fail', 'FAILED') + line('Application FAILED: ');
    const wrong = disagreements(readFlinkWord(failed), event('succeeded', 'JobFinished', 'The job finished', [job]));
    expect(wrong).toEqual([
      "'succeeded JobFinished: The job finished' in place of failed JobFailed the job failed",
      'jobs [job FINISHED] in place of [fail FAILED]',
    ]);
    expect(disagreements(readFlinkWord('STEP job\n'), event('succeeded', 'JobFinished', 'x'))).toEqual([
      'the log tells of no end',
    ]);
  });
});
