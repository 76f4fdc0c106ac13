import { describe, expect, it } from 'vitest';
import { parseObjectText } from '../../../lib/core/yaml.ts';

describe('parseObjectText, for a text made to take long', () => {
  it.each(['? ', '&a ', '!a ', '"', 'a: ', '---\n', '[', '{a,', 'a:\n- '])('%j, repeated to the limit', (part) => {
    const text = part.repeat(60_000 / part.length);
    expect(() => parseObjectText(text, 'it')).toThrow(expect.objectContaining({ reason: 'MalformedRequest' }) as Error);
  });

  it('has an end for many values', () => {
    expect(() =>
      parseObjectText(`a:\n${'- 1\n'.repeat(15_000)}b: [${'1,'.repeat(1000)}]`.slice(0, 65_000), 'it'),
    ).not.toThrow();
    expect(() => parseObjectText(`a:\n${'-\n'.repeat(15_000)}b: [${'1,'.repeat(10_000)}]`, 'it')).toThrow(
      'more than 20000',
    );
  });
});
