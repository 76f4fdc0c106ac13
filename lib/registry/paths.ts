import type { Scopes } from './authorizer.ts';
import type { RepositoryName } from './reference.ts';

/** The path of a part of a repository. */
export function pathTo({ repository }: RepositoryName, ...parts: readonly string[]): string {
  return ['/v2', ...[...repository.split('/'), ...parts].map(encodeURIComponent)].join('/');
}

/** The rights to read. */
export function pull({ repository }: RepositoryName): Scopes {
  return [`repository:${repository}:pull`];
}

/** The rights to write, and to mount what another repository has. */
export function push({ repository }: RepositoryName, from?: string): Scopes {
  const own = `repository:${repository}:pull,push`;
  return from === undefined || from === repository ? [own] : [own, `repository:${from}:pull`];
}
