/** What a registry wants to see, of its `WWW-Authenticate` header. */
export type Challenge =
  { readonly scheme: 'basic' } | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string };

const PARAMETER = /([a-zA-Z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/g;

/** `undefined` for what no registry sends. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const scheme = /^\s*([a-zA-Z]+)/.exec(header ?? '')?.[1]?.toLowerCase();
  if (scheme === 'basic') return { scheme };
  if (scheme !== 'bearer') return undefined;
  const parameters = new Map(
    [...(header ?? '').matchAll(PARAMETER)].map(([, name = '', quoted, word]) => [
      name.toLowerCase(),
      quoted?.replace(/\\(.)/g, '$1') ?? word ?? '',
    ]),
  );
  const realm = parameters.get('realm');
  const service = parameters.get('service');
  if (realm === undefined) return undefined;
  return { scheme, realm, ...(service === undefined ? {} : { service }) };
}
