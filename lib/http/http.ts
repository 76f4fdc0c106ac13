import * as http from 'node:http';
import * as https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { defined } from '../core/defined.ts';
import { Payload } from '../core/payload.ts';
import { keptConnections, type Connections, type TlsSettings } from './connections.ts';
import { SourceFailed } from './no-answer.ts';

/** Bytes at once; bytes one after another with their length; or those of another request, sent once as they come. */
export type HttpBody = Uint8Array | Payload | NodeJS.ReadableStream;

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case; a header with several values is sent as often. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: HttpBody;
  /** Whether sending it twice does no harm; default: for GET and HEAD. */
  readonly repeatable?: boolean;
  /** Milliseconds until the last byte of the answer; default: any number. */
  readonly timeout?: number;
  /** Ends the request and its answer. */
  readonly signal?: AbortSignal;
  readonly tls?: TlsSettings;
  /** Goes through a proxy; it already holds its TLS. */
  readonly agent?: http.Agent;
}

export interface HttpOptions {
  /** Open connections to a server, and so requests, at once; default: any number. */
  readonly connections?: number;
  /** Milliseconds without a byte in either direction after which a request is given up; default: any number. */
  readonly idle?: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several values of a header are joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** To be read to its end or left by `break`, or the connection stays taken. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** One request, no redirect followed. It rejects, as its body does, with what `noAnswer` gives a reason. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

/** The server gave up a connection that was kept, before it had read the request. */
class StaleConnection extends Error {}

/**
 * Requests on connections that stay open between them. An idle connection that turns out to be dead costs a repeat, not
 * a failure, for what may be repeated. A body of 150 MB takes a few kilobytes of memory.
 */
export function createHttp({ connections = Infinity, idle }: HttpOptions = {}): Http {
  const kept = keptConnections(connections);
  return async (request) => {
    try {
      return await exchange(request, kept, idle);
    } catch (error) {
      if (!(error instanceof StaleConnection) || !isRepeatable(request)) throw error;
      return exchange(request, kept, idle);
    }
  };
}

function isRepeatable({ method, body, repeatable }: HttpRequest): boolean {
  const isWhole = body === undefined || body instanceof Uint8Array || body instanceof Payload;
  return isWhole && (repeatable ?? (method === 'GET' || method === 'HEAD'));
}

function exchange(request: HttpRequest, kept: Connections, idle: number | undefined): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const sent = begin(request, kept);
    const stopWatching = watchTime(sent, request.timeout, idle);
    sent.on('close', stopWatching);
    sent.on('error', (error) => {
      reject(sent.reusedSocket && isReset(error) ? new StaleConnection(error.message, { cause: error }) : error);
    });
    sent.on('response', (response) => {
      // an answer in the middle of the body: the rest of it is not wanted
      response.on('end', () => sent.writableFinished || sent.destroy());
      resolve({ status: response.statusCode ?? 0, headers: plainHeaders(response), body: response });
    });
    sendBody(sent, request.body).catch(reject);
  });
}

function begin({ url, method, headers, body, tls, agent, signal }: HttpRequest, kept: Connections): http.ClientRequest {
  const { protocol } = url;
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`${protocol} is not spoken here`);
  return (protocol === 'http:' ? http : https).request(url, {
    method,
    headers: { 'user-agent': 'flink-dispatch', ...headers, ...lengthOf(method, body) },
    agent: agent ?? kept(protocol, tls ?? {}),
    ...defined({ signal }),
  });
}

/** Gives the request up, and its answer, when its time is over. */
function watchTime(sent: http.ClientRequest, timeout: number | undefined, idle: number | undefined): () => void {
  let answer: http.IncomingMessage | undefined;
  sent.on('response', (response) => (answer = response));
  const giveUp = (why: string): void => {
    const error = new Error(why);
    answer?.destroy(error);
    sent.destroy(error);
  };
  if (idle !== undefined) sent.setTimeout(idle, () => giveUp(`nothing came for ${idle} ms`));
  if (timeout === undefined) return () => undefined;
  const timer = setTimeout(() => giveUp(`none within ${timeout} ms`), timeout);
  return () => clearTimeout(timer);
}

function isReset(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function lengthOf(method: string, body: HttpBody | undefined): Record<string, string> {
  if (body === undefined) return method === 'GET' || method === 'HEAD' ? {} : { 'content-length': '0' };
  if (body instanceof Uint8Array) return { 'content-length': String(body.byteLength) };
  return body instanceof Payload ? { 'content-length': String(body.size) } : {};
}

async function sendBody(sent: http.ClientRequest, body: HttpBody | undefined): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    sent.end(body);
    return;
  }
  let failure: unknown;
  async function* watched(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* stream;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  const chunks = body instanceof Payload ? body.chunks() : (body as AsyncIterable<Uint8Array>);
  try {
    await pipeline(Readable.from(watched(chunks), { objectMode: false }), sent);
  } catch (error) {
    throw failure === undefined ? error : new SourceFailed('the body could not be read', { cause: failure });
  }
}

function plainHeaders(response: http.IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
