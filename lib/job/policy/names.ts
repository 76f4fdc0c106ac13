import { matchesAny, matchesGlob } from './glob.ts';

/** `flink:*` is any tag, `registry.example.com/team/*` any repository of the team, and no folder below it. */
export function matchesImage(patterns: readonly string[], image: string): boolean {
  return matchesAny(patterns, image, '/');
}

/** `*.example.com` is one label below it. A port is part of the host. */
export function matchesHost(patterns: readonly string[], host: string): boolean {
  return matchesAny(patterns, host, '.:/');
}

/** Keys of labels, annotations, node labels and taints: `*` stays on its side of the `/`. */
export function matchesKey(patterns: readonly string[], key: string): boolean {
  return matchesAny(patterns, key, '/');
}

/**
 * An SNS topic's ARN or an SQS queue's URL: a star stays in its part of the ARN, in its label of the host and in its
 * folder of the path. What a URL parser would read otherwise than it is written matches nothing.
 */
export function matchesAddress(patterns: readonly string[], address: string): boolean {
  if (address.startsWith('arn:')) return matchesAny(patterns, address, ':/');
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.href !== address || url.username !== '' || url.password !== '') return false;
  if (url.search !== '' || url.hash !== '') return false;
  const asked = splitUrl(address);
  return patterns.some((pattern) => {
    const wanted = splitUrl(pattern);
    if (asked === undefined || wanted === undefined) return pattern === '**';
    return (
      wanted.scheme === asked.scheme &&
      matchesGlob(wanted.host, asked.host, '.:/') &&
      matchesGlob(wanted.path, asked.path, '/')
    );
  });
}

function splitUrl(text: string): { scheme: string; host: string; path: string } | undefined {
  const [, scheme, host, path = ''] = /^([a-z]+):\/\/([^/]*)(\/.*)?$/s.exec(text) ?? [];
  return scheme === undefined || host === undefined ? undefined : { scheme, host, path };
}
