import { describe, expect, it } from 'vitest';
import { findInLog } from '../../lib/diagnosis/log-findings.ts';
import { rootMessageIn } from '../../lib/flink/root-cause.ts';

/** The least of a few: what else the machine does only adds. */
function time(work: (text: string) => unknown, text: string): number {
  const times = Array.from({ length: 5 }, () => {
    const from = performance.now();
    work(text);
    return performance.now() - from;
  });
  return Math.max(0.05, Math.min(...times));
}

const END = '\u2028y\n\tat a.b(C.java:1)';

describe('reading a log that a job writes takes time linear in its length', () => {
  it.each([
    ['\r', ''],
    ['\u2028', ''],
    ['\rx', ''],
    [' x.Exception: ', END],
    ['x.Exception', END],
    ['a.', END],
    ['Caused by: ', ''],
    ['Traceback (most recent call last):\n', ''],
    ['pods "', ''],
    ['a is forbidden: User "', ''],
    ['Worker a is terminated. Diagnostics: ', ''],
    ['exceeded quota: ', ''],
  ])('for repetitions of %j', (unit, end) => {
    const textOf = (length: number): string => unit.repeat(Math.ceil(length / unit.length)) + end;
    for (const work of [findInLog, rootMessageIn]) {
      const growths = [1, 2, 3].map(() => time(work, textOf(128 * 1024)) / time(work, textOf(16 * 1024)));
      // eight times the text: 8 where it is linear, 64 where it is quadratic
      expect(Math.min(...growths)).toBeLessThan(30);
    }
  });
});
