import { defined } from '../core/defined.ts';

/** What a registry wants to see, of its `WWW-Authenticate` header. */
export type Challenge =
  { readonly scheme: 'basic' } | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string };

/** RFC 9110: a scheme, then its parameters or one token68; challenges and parameters are both separated by commas. */
const PARAMETER = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/;
const SCHEME = /^\s*([!#$%&'*+.^_`|~\w-]+)(?=\s|,|$)/;
const TOKEN68 = /^\s+[\w.~+/-]+=*\s*(?=,|$)/;

interface Parsed {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
}

/** Those of a header, or of several joined by commas, that a client here can answer, as they stand there. */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const found: Parsed[] = [];
  let rest = (header ?? '').slice(0, 8192);
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest);
    const scheme = parameter === null ? SCHEME.exec(rest) : null;
    if (parameter !== null) {
      const [whole, name = '', quoted, word] = parameter;
      found.at(-1)?.parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? word ?? '');
      rest = rest.slice(whole.length);
    } else if (scheme !== null) {
      found.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters: new Map() });
      rest = rest.slice(scheme[0].length);
      if (!PARAMETER.test(rest)) rest = rest.replace(TOKEN68, '');
    } else rest = rest.slice(1);
  }
  return found.flatMap(supported);
}

function supported({ scheme, parameters }: Parsed): Challenge[] {
  if (scheme === 'basic') return [{ scheme }];
  const realm = parameters.get('realm');
  const service = parameters.get('service');
  if (scheme !== 'bearer' || realm === undefined) return [];
  return [{ scheme, realm, ...defined({ service }) }];
}
