import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { ApiError, badRequest, noSuchPath } from '../errors.ts';
import { findResource, NAMESPACES, type Resource } from '../resources.ts';

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

/** @throws ApiError 404 for a kind that is not served */
export function parseTarget(pathname: string): Target {
  const [, root, ...segments] = pathname.split('/');
  const [group, version, ...path] = root === 'api' ? ['', ...segments] : segments;
  const apiVersion = group === '' ? (version ?? '') : `${group ?? ''}/${version ?? ''}`;
  const inNamespace =
    path[0] === 'namespaces' && path.length > 2 && findResource(group ?? '', version ?? '', path[2] ?? '');
  const [plural = '', name, subresource, ...rest] = inNamespace ? path.slice(2) : path;
  const resource = findResource(group ?? '', version ?? '', plural);
  if (resource === undefined) throw noSuchPath();
  if (subresource !== undefined && subresource !== '' && !resource.subresources.includes(subresource))
    throw noSuchPath();
  if (name !== undefined && resource.namespaced && !inNamespace) throw noSuchPath();
  return {
    resource,
    apiVersion,
    namespace: inNamespace && resource !== NAMESPACES ? decode(path[1] ?? '') : undefined,
    name: name === undefined || name === '' ? undefined : decode(name),
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
