import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../src/objects.ts';
import { parseFieldSelector, parseLabelSelector } from '../src/selectors.ts';

function labelled(labels: Record<string, string>): KubeObject {
  const metadata = { name: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: '', labels };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'n' }, status: { phase: 'Running' } };
}

describe('selectors', () => {
  it.each([
    ['', {}, true],
    ['a=1,b==2', { a: '1', b: '2' }, true],
    ['a=1,b=2', { a: '1' }, false],
    ['a!=1', {}, true],
    ['a in (1, 2),b', { a: '2', b: '' }, true],
    ['a notin (1,2)', { a: '1' }, false],
    ['!a', { a: '1' }, false],
    ['example.com/key=v', { 'example.com/key': 'v' }, true],
  ])('%s on %j: %s', (selector, labels, expected) => {
    expect(parseLabelSelector(selector)(labelled(labels))).toBe(expected);
  });

  it('refuses what it cannot read', () => {
    expect(() => parseLabelSelector('a=b=c')).toThrow('unable to parse requirement');
    expect(() => parseFieldSelector('spec')).toThrow('invalid field selector');
  });

  it('compares fields', () => {
    expect(parseFieldSelector('spec.nodeName=n,status.phase!=Failed')(labelled({}))).toBe(true);
    expect(parseFieldSelector('metadata.name!=x')(labelled({}))).toBe(false);
  });
});
