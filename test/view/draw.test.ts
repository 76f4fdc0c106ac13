import { describe, expect, it } from 'vitest';
import { layout } from '../../packages/page/src/draw/layout.ts';
import { linePath, roundUp } from '../../packages/page/src/draw/scale.ts';

describe('the layout of a graph', () => {
  it('has each node behind those that it reads from, and near them', () => {
    const places = layout([
      { id: 'a', inputs: [] },
      { id: 'b', inputs: [] },
      { id: 'of-b', inputs: ['b'] },
      { id: 'of-a', inputs: ['a'] },
      { id: 'join', inputs: ['a', 'of-b', 'of-a'] },
    ]);
    expect([...places].map(([id, { column, row }]) => [id, column, row])).toEqual([
      ['a', 0, 0],
      ['b', 0, 1],
      ['of-a', 1, 0],
      ['of-b', 1, 1],
      ['join', 2, 0],
    ]);
  });

  it('ends where nodes read from each other, from themselves, or from what is not there', () => {
    const places = layout([
      { id: 'a', inputs: ['b', 'a', 'nowhere'] },
      { id: 'b', inputs: ['a'] },
    ]);
    expect([...places.keys()].sort()).toEqual(['a', 'b']);
  });

  it('takes a long chain', () => {
    const chain = Array.from({ length: 50 }, (_, n) => ({ id: String(n), inputs: n === 0 ? [] : [String(n - 1)] }));
    expect(layout(chain).get('49')).toEqual({ column: 49, row: 0 });
  });
});

describe('a line', () => {
  const frame = { from: 0, to: 100, most: 10, width: 100, height: 10 };

  it('goes from point to point, and is broken where there is none', () => {
    const points = [
      [0, 0],
      [50, 10],
      [60, undefined],
      [80, 5],
    ] as const;
    expect(linePath(points, frame)).toBe('M0.0 10.0L50.0 0.0M80.0 5.0h1');
    expect(linePath([], frame)).toBe('');
  });

  it('has an axis that ends with a round number', () => {
    expect([0, 0.3, 1, 1.1, 7, 12, 99, 4200].map(roundUp)).toEqual([1, 0.5, 1, 2, 10, 20, 100, 5000]);
  });
});
