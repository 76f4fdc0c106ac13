import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';

/** A repository of a registry: `{ host: 'docker.io', repository: 'library/flink' }`. */
export interface RepositoryName {
  /** As people write it, with a port where there is one. */
  readonly host: string;
  readonly repository: string;
}

export interface ImageReference extends RepositoryName {
  readonly tag?: string;
  /** `sha256:…`; it wins over the tag. */
  readonly digest?: string;
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const DEFAULT_HOST = 'docker.io';

/**
 * The name of an image as container runtimes read it: `flink:2.3.0` is `docker.io/library/flink:2.3.0`.
 * @throws DispatchError `InvalidSpec`, naming `field`
 */
export function parseImage(text: string, field = 'image'): ImageReference {
  const [named = '', digest, ...rest] = text.split('@');
  const tagged = /^(.*?):([^:/]+)$/.exec(named);
  // a colon before a slash is that of a port
  const name = tagged?.[1] ?? named;
  const tag = tagged?.[2];
  const bad =
    rest.length > 0 || (digest !== undefined && !DIGEST.test(digest)) || (tag !== undefined && !TAG.test(tag));
  if (bad) throw invalid(text, field);
  return {
    ...parseRepository(name, field),
    ...defined({ tag, digest }),
  };
}

/** @throws DispatchError `InvalidSpec`, naming `field` */
export function parseRepository(text: string, field = 'repository'): RepositoryName {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(0, slash));
  const hasHost = /[.:A-Z]/.test(first) || first === 'localhost';
  const host = hasHost ? normalHost(first) : DEFAULT_HOST;
  const path = hasHost ? text.slice(slash + 1) : text;
  const repository = host === DEFAULT_HOST && !path.includes('/') ? `library/${path}` : path;
  if (!HOST.test(host) || repository.length > 255 || !repository.split('/').every((part) => COMPONENT.test(part)))
    throw invalid(text, field);
  return { host, repository };
}

/** Docker Hub has had several names. */
export function normalHost(host: string): string {
  const lower = host.toLowerCase();
  return lower === 'index.docker.io' || lower === 'registry-1.docker.io' ? DEFAULT_HOST : lower;
}

export function nameOf({ host, repository }: RepositoryName): string {
  return `${host}/${repository}`;
}

/** What the registry is asked for: the digest, the tag, or `latest`. */
export function referenceOf({ digest, tag }: ImageReference): string {
  return digest ?? tag ?? 'latest';
}

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

function invalid(text: string, field: string): DispatchError {
  const message = `${field} is no name of an image: ${JSON.stringify(text)}; write host/path:tag or host/path@sha256:…`;
  return new DispatchError('InvalidSpec', message, { field });
}
