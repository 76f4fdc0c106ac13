import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { ApiError, badRequest, noSuchPath } from '../errors.ts';
import { apiVersionOf, findResource, type Resource } from '../resources.ts';

const BODY_LIMIT = 8 * 1024 * 1024;

/** What a path under /api or /apis points at. */
export interface Target {
  readonly resource: Resource;
  readonly apiVersion: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows the subresource, still percent-encoded. */
  readonly rest: string;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(`malformed path segment: ${segment}`);
  }
}

interface Parts {
  readonly group: string;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly path: readonly string[];
}

/** Takes a path apart; a namespace alone is an object as well as a place. */
function split(pathname: string): Parts {
  const [, root, ...segments] = pathname.split('/');
  const [group = '', version = '', ...path] = root === 'api' ? ['', ...segments] : segments;
  const [first, namespace = '', plural = ''] = path;
  const inside = first === 'namespaces' && findResource(group, version, plural)?.namespaced === true;
  return { group, version, namespace: inside ? decode(namespace) : undefined, path: inside ? path.slice(2) : path };
}

/** @throws ApiError 404 for a kind or a subresource that is not served */
export function parseTarget(pathname: string): Target {
  const { group, version, namespace, path } = split(pathname);
  const [plural = '', name = '', subresource = '', ...rest] = path;
  const resource = findResource(group, version, plural);
  if (resource === undefined) throw noSuchPath();
  const known = subresource === '' || resource.subresources.includes(subresource);
  if (!known || (name !== '' && resource.namespaced && namespace === undefined)) throw noSuchPath();
  return {
    resource,
    apiVersion: apiVersionOf(resource),
    namespace,
    name: name === '' ? undefined : decode(name),
    subresource: subresource === '' ? undefined : subresource,
    rest: rest.join('/'),
  };
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new ApiError(413, 'RequestEntityTooLarge', 'the body of the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function contentTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? '';
}

/** JSON or YAML. @throws ApiError 400, 415 */
export function parseBody(body: Buffer, contentType: string): unknown {
  if (body.length === 0) return undefined;
  if (contentType.includes('protobuf')) {
    const message =
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml';
    throw new ApiError(415, 'UnsupportedMediaType', message);
  }
  try {
    return contentType.includes('yaml') ? parseYaml(body.toString()) : JSON.parse(body.toString());
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${error instanceof Error ? error.message : String(error)}`);
  }
}
