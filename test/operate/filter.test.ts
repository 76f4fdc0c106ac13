import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../lib/operate/filter.ts';
import { rowOf } from '../../lib/run/row.ts';
import { sampleRecord } from '../fixtures/records/load.ts';

const finds = (pattern: string, name: string): boolean =>
  parseFilter({ name: pattern }, 0).matches({ ...rowOf(sampleRecord()), name });

describe('a filter by name', () => {
  it.each<[string, string, boolean]>([
    ['orders', 'orders', true],
    ['orders', 'orders-2', false],
    ['orders*', 'orders-2', true],
    ['*orders', 'my-orders', true],
    ['o*d*s', 'orders', true],
    ['*', '', true],
    ['a**b', 'ab', true],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'a-c-b', false],
    ['a.c', 'abc', false],
    ['*a*a*a*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(45), false],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(finds(pattern, name)).toBe(expected);
  });
});
