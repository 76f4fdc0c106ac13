/**
 * StructuredOptionsSplitter.splitEscaped: parts between `delimiter`; a part in single or double quotes may contain it,
 * and a quote in such a part is doubled. Blanks around an unquoted part go.
 * @throws Error when a quote is not closed or text follows a closed one.
 */
export function splitEscaped(text: string, delimiter: ';' | ',' | ':'): string[] {
  return join(tokenize(text, delimiter));
}

interface Token {
  readonly kind: 'quoted' | 'unquoted' | 'delimiter';
  readonly text: string;
  readonly position: number;
}

function join(tokens: readonly Token[]): string[] {
  const parts: string[] = [];
  tokens.forEach((token, i) => {
    const next = tokens[i + 1];
    if (token.kind !== 'delimiter') parts.push(token.text);
    else if (next?.kind === 'delimiter') parts.push('');
    if (token.kind === 'quoted' && next !== undefined && next.kind !== 'delimiter') {
      throw new Error(`text follows a closed quote at position ${next.position - 1}`);
    }
  });
  return parts;
}

function tokenize(text: string, delimiter: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    const position = at;
    if (char === "'" || char === '"') {
      const quoted = readQuoted(text, char, at);
      tokens.push({ kind: 'quoted', text: quoted.text, position });
      at = quoted.end;
    } else if (char === delimiter) {
      tokens.push({ kind: 'delimiter', text: char, position });
      at++;
    } else if (/\s/.test(char)) {
      at++;
    } else {
      const end = text.indexOf(delimiter, at);
      at = end === -1 ? text.length : end;
      tokens.push({ kind: 'unquoted', text: text.slice(position, at).trim(), position });
    }
  }
  return tokens;
}

function readQuoted(text: string, quote: string, start: number): { text: string; end: number } {
  let content = '';
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char !== quote) content += char;
    else if (text.charAt(i + 1) !== quote) return { text: content, end: i + 1 };
    else {
      content += char;
      i++;
    }
  }
  throw new Error('a quote is not closed');
}
