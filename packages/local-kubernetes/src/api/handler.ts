import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, methodNotAllowed, noSuchPath } from '../errors.ts';
import type { Admission } from '../admission.ts';
import type { Addresses } from '../node/addresses.ts';
import type { Node } from '../node/node-services.ts';
import { isRecord } from '../objects.ts';
import type { Store } from '../store.ts';
import { discover } from './discovery.ts';
import { sendLog } from './logs.ts';
import { proxy } from './proxy.ts';
import { list } from './read.ts';
import { contentTypeOf, parseBody, parseTarget, readBody, type Target } from './request.ts';
import { asTable } from './table.ts';
import { watch, type WatchSink } from './watch.ts';
import { create, get, patch, remove, removeAll, replace, type Answer } from './write.ts';

export interface ApiBackend {
  readonly store: Store;
  readonly admission: Admission;
  readonly addresses: Addresses;
  readonly node: Node;
  readonly onError: (error: unknown) => void;
}

const HEALTH = new Set(['/readyz', '/livez', '/healthz']);
const REVIEW = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

function send(response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end(text);
}

/** Answers one request; any failure becomes a Status. */
export async function handle(backend: ApiBackend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await route(backend, request, response);
  } catch (error) {
    if (!(error instanceof ApiError)) backend.onError(error);
    const known =
      error instanceof ApiError
        ? error
        : new ApiError(500, 'InternalError', `Internal error occurred: ${String(error)}`);
    if (response.headersSent) response.destroy();
    else send(response, { status: known.code, body: known.toStatus() });
  }
}

async function route(backend: ApiBackend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://local');
  if (HEALTH.has(url.pathname.split('?')[0] ?? '')) {
    sendText(response, 'ok');
    return;
  }
  if (request.method === 'POST' && url.pathname === REVIEW) {
    const review = parseBody(await readBody(request), contentTypeOf(request)) as object;
    send(response, { status: 201, body: { ...review, status: { allowed: true } } });
    return;
  }
  const description = request.method === 'GET' ? discover(url.pathname) : undefined;
  if (description !== undefined) {
    send(response, { status: 200, body: description });
    return;
  }
  if (!/^\/(api|apis)\//.test(url.pathname)) throw noSuchPath();
  const target = parseTarget(url.pathname);
  if (target.subresource === 'proxy') await proxy(backend, target, url.search, request, response);
  else if (target.subresource === 'log') await sendLog(backend, target, url.searchParams, response);
  else if (request.method === 'GET') read(backend, target, url.searchParams, request, response);
  else send(response, await change(backend, target, url.searchParams, request));
}

function read(
  backend: ApiBackend,
  target: Target,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const accept = request.headers.accept ?? '';
  const shown = (body: unknown): unknown => {
    if (accept.includes('as=PartialObjectMetadata')) return metadataOnly(body);
    return (accept.includes('as=Table') ? asTable(target, body, new Date()) : undefined) ?? body;
  };
  if (target.name !== undefined && !isTrue(query.get('watch')))
    send(response, { status: 200, body: shown(get(backend, target)) });
  else if (isTrue(query.get('watch'))) {
    watch(
      backend.store,
      target,
      query,
      lines(response, (event) => ({ ...event, object: event.type === 'ERROR' ? event.object : shown(event.object) })),
    );
  } else send(response, { status: 200, body: shown(list(backend.store, target, query)) });
}

/** An object, or each of a list, without all but its metadata. */
function metadataOnly(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const { metadata, items } = body;
  const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
  if (!Array.isArray(items)) return partial;
  return { ...partial, kind: 'PartialObjectMetadataList', items: items.map(metadataOnly) };
}

function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1';
}

type Shown = Parameters<WatchSink['send']>[0];

function lines(response: ServerResponse, shown: (event: Shown) => Shown): WatchSink {
  const closed = new AbortController();
  response.once('close', () => {
    closed.abort();
  });
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
  response.flushHeaders();
  return {
    send: (event) => response.write(`${JSON.stringify(shown(event))}\n`),
    close: () => response.end(),
    closed: closed.signal,
  };
}

async function change(
  backend: ApiBackend,
  target: Target,
  query: URLSearchParams,
  request: IncomingMessage,
): Promise<Answer> {
  const contentType = contentTypeOf(request);
  const format = contentType.includes('json') ? 'application/json' : contentType;
  const body = parseBody(await readBody(request), format);
  const dryRun = query.get('dryRun') === 'All';
  switch (request.method) {
    case 'POST':
      return create(backend, target, body, dryRun);
    case 'PUT':
      return replace(backend, target, body);
    case 'PATCH':
      return patch(backend, target, body, contentType);
    case 'DELETE':
      return target.name === undefined ? removeAll(backend, target, body, query) : remove(backend, target, body, query);
    default:
      throw methodNotAllowed();
  }
}
