import { expect, it } from 'vitest';
import { defined } from '../../lib/core/defined.ts';

it('has the members that have a value, also one that is false, empty or null', () => {
  const missing = undefined as string | undefined;
  const members: { readonly a?: string } = defined({ a: missing });
  expect(Object.keys(members)).toEqual([]);
  expect(defined({ a: 1, b: false, c: '', d: null, e: missing })).toStrictEqual({ a: 1, b: false, c: '', d: null });
});
