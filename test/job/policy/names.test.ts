import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesAny, matchesGlob } from '../../../lib/job/policy/glob.ts';
import { matchesAddress, matchesHost, matchesImage, matchesKey } from '../../../lib/job/policy/names.ts';

/** A regular expression that says the same. */
function expressionOf(pattern: string, separators: string): RegExp {
  const within = separators === '' ? '[^]' : `[^${separators.replaceAll(/[\\\]^-]/g, '\\$&')}]`;
  const parts = (pattern.match(/\*\*+|[^]/gu) ?? []).map((part) => {
    if (part.startsWith('**')) return '[^]*';
    if (part === '*') return `${within}*`;
    return part === '?' ? within : part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 'u');
}

describe('a pattern', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['a', 'a', true],
    ['a', 'ab', false],
    ['ab', 'a', false],
    ['*', '', true],
    ['*', 'a:b', true],
    ['*', 'a/b', false],
    ['**', 'a/b', true],
    ['***', 'a/b', true],
    ['?', 'a', true],
    ['?', '', false],
    ['?', '/', false],
    ['?', 'ab', false],
    ['a*b', 'ab', true],
    ['a*b', 'axxb', true],
    ['a*b', 'a/b', false],
    ['a**b', 'a/b', true],
    ['*a*', 'bab', true],
    ['*?', '😀', true],
    ['??', '😀', false],
    ['a.b', 'axb', false],
    ['A', 'a', false],
    ['*\n*', 'a\nb', true],
  ])('%j of %j: %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text, '/')).toBe(expected);
  });

  it('without separators passes over all of them', () => {
    expect(matchesGlob('a*c', 'a/b.c')).toBe(true);
    expect(matchesGlob('a?c', 'a/c')).toBe(true);
  });

  it('is one of several, or none', () => {
    expect(matchesAny(['x', 'a*'], 'ab', '/')).toBe(true);
    expect(matchesAny(['x', 'a*'], 'a/b', '/')).toBe(false);
    expect(matchesAny([], '', '')).toBe(false);
  });

  it('means what a regular expression would', () => {
    const some = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '/', '.'), maxLength: 6 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 6 });
    fc.assert(
      fc.property(some, text, fc.constantFrom('', '/', './'), (pattern, given, separators) => {
        expect(matchesGlob(pattern, given, separators)).toBe(expressionOf(pattern, separators).test(given));
      }),
    );
  });

  it('takes no more time for a hostile text', () => {
    expect(matchesGlob(`${'*a'.repeat(50)}b`, 'a'.repeat(5_000))).toBe(false);
  });
});

describe('what a star of a name stands for', () => {
  it.each([
    ['flink:*', 'flink:2.3.0', true],
    ['flink:*', 'flink:evil/x', false],
    ['registry.example.com/team/*', 'registry.example.com/team/job:1', true],
    ['registry.example.com/team/*', 'registry.example.com/team/deep/job:1', false],
    ['registry.example.com/team/**', 'registry.example.com/team/deep/job:1', true],
  ])('the image %s has %s: %s', (pattern, image, expected) => {
    expect(matchesImage([pattern], image)).toBe(expected);
  });

  it.each([
    ['*.example.com', 'repo.example.com', true],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'evil:80.example.com', false],
    ['repo.example.com', 'repo.example.com:8443', false],
    ['repo.example.com:*', 'repo.example.com:8443', true],
    ['*', 'a/b', false],
  ])('the host %s has %s: %s', (pattern, host, expected) => {
    expect(matchesHost([pattern], host)).toBe(expected);
  });

  it.each([
    ['team/*', 'team/x.y', true],
    ['*', 'iam.amazonaws.com/role', false],
    ['*', 'app', true],
  ])('the key %s has %s: %s', (pattern, key, expected) => {
    expect(matchesKey([pattern], key)).toBe(expected);
  });

  const QUEUE = 'https://sqs.eu-central-1.amazonaws.com/111122223333/q';
  it.each([
    ['arn:aws:sns:*:111122223333:*', 'arn:aws:sns:eu-central-1:111122223333:ours', true],
    ['arn:aws:sns:*:111122223333:*', 'arn:aws:sns:eu-central-1:evil:111122223333:ours', false],
    ['arn:aws:sns:*:111122223333:*', 'arn:aws:sns:eu/x:111122223333:ours', false],
    ['https://sqs.*.amazonaws.com/111122223333/*', QUEUE, true],
    ['https://sqs.*.amazonaws.com/111122223333/*', 'https://sqs.eu.evil.com/.amazonaws.com/111122223333/q', false],
    ['https://sqs.*.amazonaws.com/111122223333/*', 'https://sqs.eu-central-1.amazonaws.com/111122223333/a/q', false],
    ['https://sqs.*.amazonaws.com/111122223333/*', 'https://sqs.a.b.amazonaws.com/111122223333/q', false],
    ['http://sqs.*.amazonaws.com/111122223333/*', QUEUE, false],
    ['https://sqs.*.amazonaws.com/222222222222/*', QUEUE, false],
    ['https://*/q', 'https://host/q', true],
    ['https://*/q', 'https://host:8443/q', false],
    ['https://host', 'https://host/', false],
    ['https://host/', 'https://host/', true],
    [QUEUE, QUEUE, true],
    [QUEUE, `${QUEUE}?Action=x`, false],
    [`${QUEUE}*`, `${QUEUE}?Action=x`, false],
    [`${QUEUE}**`, `${QUEUE}#x`, false],
    ['https://**/**', 'https://user@host/q', false],
    ['https://**/**', 'https://:pw@host/q', false],
    ['https://**/**', 'https://HOST/q', false],
    ['https://**/**', 'https://host/a/../q', false],
    ['**', 'no address', false],
    ['**', QUEUE, true],
    ['**', 'mailto:x@example.com', true],
    ['*', 'mailto:x@example.com', false],
    ['https://**/**', 'mailto:x@example.com', false],
    ['https://**/**', 'https://host/a/q', true],
    ['x https://host/q', 'https://host/q', false],
    ['**', 'arn:aws:sns:x:1:t', true],
  ])('the address %s has %s: %s', (pattern, address, expected) => {
    expect(matchesAddress([pattern], address)).toBe(expected);
  });

  it('is that of one of several patterns', () => {
    expect(matchesAddress(['https://other/q', QUEUE], QUEUE)).toBe(true);
    expect(matchesAddress([], QUEUE)).toBe(false);
  });
});
