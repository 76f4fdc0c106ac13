type Token = { readonly kind: 'all' | 'within' | 'one' } | { readonly kind: 'char'; readonly char: string };

/**
 * True when the pattern makes the text: `*` is any characters but a separator, none as well, `?` is one such character,
 * and `**` is any characters at all. Without separators `*` and `**` are the same. The time is at most the product of
 * both lengths: a pattern is configuration, but the text is anybody's.
 * @param separators characters that part a name of its kind: `/` of an image, `.` of a host
 */
export function matchesGlob(pattern: string, text: string, separators = ''): boolean {
  const tokens = tokenize(pattern);
  let reached = closure(new Set([0]), tokens);
  for (const char of text) {
    const next = new Set<number>();
    for (const at of reached) {
      const token = tokens[at];
      if (token === undefined || !takes(token, char, separators)) continue;
      next.add(token.kind === 'all' || token.kind === 'within' ? at : at + 1);
    }
    if (next.size === 0) return false;
    reached = closure(next, tokens);
  }
  return reached.has(tokens.length);
}

export function matchesAny(patterns: readonly string[], text: string, separators = ''): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, text, separators));
}

function tokenize(pattern: string): readonly Token[] {
  const parts = pattern.match(/\*\*+|[^]/gu) ?? [];
  return parts.map((part): Token => {
    if (part.startsWith('**')) return { kind: 'all' };
    if (part === '*') return { kind: 'within' };
    return part === '?' ? { kind: 'one' } : { kind: 'char', char: part };
  });
}

/** A star may stand for nothing. */
function closure(reached: Set<number>, tokens: readonly Token[]): Set<number> {
  for (const at of reached) {
    const kind = tokens[at]?.kind;
    if (kind === 'all' || kind === 'within') reached.add(at + 1);
  }
  return reached;
}

function takes(token: Token, char: string, separators: string): boolean {
  if (token.kind === 'char') return token.char === char;
  return token.kind === 'all' || !separators.includes(char);
}
