import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutate } from './bundle.ts';
import { MUTANTS, TESTED } from './mutants.ts';
import { readReport } from './unit-noticed.ts';
import { play } from './world.ts';

describe('the whole product, simulated', () => {
  it('keeps its promises in one world', async () => {
    const { violations, runs } = await play({ seed: 1 });
    expect(violations).toEqual([]);
    expect(runs).toBeGreaterThan(0);
  });
});

describe('a mutant', () => {
  it.each([...MUTANTS, ...TESTED])('has its guard in the source: $name', (mutant) => {
    expect(mutate(readFileSync(mutant.file, 'utf8'), mutant)).toContain(mutant.without);
  });
});

describe('a test without its guard', () => {
  const report = (...results: readonly (readonly [status: string, message?: string])[]): string =>
    JSON.stringify({
      testResults: [
        {
          assertionResults: results.map(([status, message], n) => ({
            fullName: `test ${n}`,
            status,
            failureMessages: message === undefined ? [] : [message],
          })),
        },
      ],
    });

  it.each([
    ['a test that failed by itself', report(['passed'], ['failed', 'AssertionError: 1 is not 2']), { by: 'test 1' }],
    [
      'one that failed beside one that took too long',
      report(['failed', 'Error: Test timed out in 30000ms.'], ['failed', 'x']),
      { by: 'test 1' },
    ],
    ['tests that all passed', report(['passed']), { why: 'SURVIVED' }],
    [
      'a test that took too long',
      report(['failed', 'Error: Test timed out in 30000ms.']),
      { why: 'NO RESULT: its test took too long' },
    ],
    ['a file that cannot be loaded', report(), { why: 'NO RESULT: no test ran' }],
    ['no report', 'npm error', { why: 'NO RESULT: vitest gave no report' }],
  ])('is read: %s', (_, text, expected) => {
    expect(readReport(text)).toMatchObject(expected);
  });
});
