import { describe, expect, it } from 'vitest';
import { rootException } from '../../../lib/flink/rest/root-exception.ts';
import { rootMessage } from '../../../lib/flink/root-cause.ts';

describe('rootMessage', () => {
  it.each([
    ['no cause', 'a.B: boom\n\tat x.Y(Y.java:1)', 'a.B: boom'],
    [
      'a message of several lines',
      'a.B: w\n\tat x.Y(Y.java:1)\nCaused by: c.D: first\nsecond: third\n\tat z',
      'c.D: first\nsecond: third',
    ],
    [
      'no words: where it was thrown',
      'a.B: w\n\tat x.Y(Y.java:1)\nCaused by: java.lang.NullPointerException\n\tat me.Job.map(Job.java:7)',
      'java.lang.NullPointerException at me.Job.map(Job.java:7)',
    ],
    [
      'suppressed exceptions are no cause',
      'a.B: w\n\tat x.Y(Y.java:1)\n\tSuppressed: s.T: later\n\t\tat q\n\tCaused by: u.V: inner\nCaused by: c.D: root\n\tSuppressed: k.L: m',
      'c.D: root',
    ],
    ['a trace without frames', 'a.B: boom', 'a.B: boom'],
    ['Windows line ends', 'a.B: w\r\n\tat x\r\nCaused by: c.D: root\r\n\tat y\r\n', 'c.D: root'],
    ['nothing', '', ''],
  ])('%s', (_what, trace, expected) => {
    expect(rootMessage(trace)).toBe(expected);
  });
});

it('keeps the beginning and the end of a long trace', () => {
  const trace = `a.B: first\n${'\tat x.Y(Y.java:1)\n'.repeat(10_000)}Caused by: c.D: last\n\tat z.Z(Z.java:9)`;
  const { message, stackTrace } = rootException(trace, { time: 3 });
  expect(message).toBe('c.D: last');
  expect(stackTrace.length).toBeLessThan(17_000);
  expect(stackTrace).toMatch(/^a\.B: first/);
  expect(stackTrace).toMatch(/characters left out[^]*Caused by: c\.D: last\n\tat z\.Z\(Z\.java:9\)$/);
});

it('cuts a huge message', () => {
  expect(rootException(`a.B: ${'m'.repeat(100_000)}`).message).toHaveLength(4 * 1024 + 1);
});
