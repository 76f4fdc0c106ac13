import { describe, expect, it } from 'vitest';
import { mergePatch, strategicMerge } from '../src/patch.ts';

describe('merge patch', () => {
  it('drops null, replaces lists, merges maps', () => {
    expect(mergePatch({ a: 1, b: { c: 1, d: 2 }, l: [1, 2] }, { a: null, b: { c: 9 }, l: [3] })).toEqual({
      b: { c: 9, d: 2 },
      l: [3],
    });
  });
});

describe('strategic merge', () => {
  const spec = {
    containers: [
      { name: 'a', image: '1', args: ['x'] },
      { name: 'b', image: '2' },
    ],
  };

  it('joins lists by their key and replaces lists without one', () => {
    const patch = {
      containers: [
        { name: 'a', args: ['y', 'z'] },
        { name: 'c', image: '3' },
      ],
    };
    expect(strategicMerge(spec, patch)).toEqual({
      containers: [
        { name: 'a', image: '1', args: ['y', 'z'] },
        { name: 'b', image: '2' },
        { name: 'c', image: '3' },
      ],
    });
  });

  it('obeys $patch, $retainKeys and $deleteFromPrimitiveList, and ignores $setElementOrder', () => {
    expect(strategicMerge(spec, { containers: [{ name: 'a', $patch: 'delete' }] })).toEqual({
      containers: [{ name: 'b', image: '2' }],
    });
    expect(strategicMerge(spec, { containers: [{ $patch: 'replace' }, { name: 'z' }] })).toEqual({
      containers: [{ name: 'z' }],
    });
    expect(
      strategicMerge({ type: 'RollingUpdate', rollingUpdate: {} }, { $retainKeys: ['type'], type: 'Recreate' }),
    ).toEqual({ type: 'Recreate' });
    expect(
      strategicMerge(
        { finalizers: ['a', 'b'] },
        { '$deleteFromPrimitiveList/finalizers': ['a'], '$setElementOrder/finalizers': ['b'] },
      ),
    ).toEqual({ finalizers: ['b'] });
  });
});
