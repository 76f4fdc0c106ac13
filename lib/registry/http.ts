import * as http from 'node:http';
import * as https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { defined } from '../core/defined.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes at once, or one after another with their length. */
  readonly body?: Uint8Array | { readonly size: number; readonly stream: AsyncIterable<Uint8Array> };
  /** Ends the request and its answer. */
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** To be read to its end or left by `break`, or the connection stays taken. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** One request, no redirect followed; rejects when there is no answer, or when the body cannot be read. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

export interface HttpOptions {
  /** Milliseconds without a byte in either direction after which a connection is given up; default 20 s. */
  readonly idle?: number;
}

/** The body came whole or not, but not from the registry: its own error goes on as it is. */
export class SourceFailed extends Error {}

/** HTTP that can send 150 MB from one stream while it holds a few kilobytes of them. */
export function createHttp(options: HttpOptions = {}): Http {
  const agents = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) };
  return (request) =>
    new Promise((resolve, reject) => {
      const { protocol } = request.url;
      if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`${protocol} is not spoken here`);
      const sent = (protocol === 'http:' ? http : https).request(request.url, {
        method: request.method,
        headers: { 'user-agent': 'flink-dispatch', ...request.headers, ...lengthOf(request) },
        agent: agents[protocol],
        ...defined({ signal: request.signal }),
      });
      const idle = options.idle ?? 20_000;
      sent.setTimeout(idle, () => sent.destroy(new Error(`nothing came for ${idle} ms`)));
      sent.on('error', reject);
      sent.on('response', (response) => {
        // an answer in the middle of the body: the rest of it is not wanted
        response.on('end', () => sent.writableFinished || sent.destroy());
        resolve({ status: response.statusCode ?? 0, headers: plainHeaders(response), body: response });
      });
      sendBody(sent, request.body).catch(reject);
    });
}

function lengthOf({ method, body }: HttpRequest): Record<string, string> {
  if (body === undefined) return method === 'GET' || method === 'HEAD' ? {} : { 'content-length': '0' };
  return { 'content-length': String(body instanceof Uint8Array ? body.byteLength : body.size) };
}

async function sendBody(sent: http.ClientRequest, body: HttpRequest['body']): Promise<void> {
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
  try {
    await pipeline(Readable.from(watched(body.stream), { objectMode: false }), sent);
  } catch (error) {
    throw failure === undefined ? error : new SourceFailed('the body could not be read', { cause: failure });
  }
}

function plainHeaders(response: http.IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

/** Reads and forgets, so that the connection can be used again. */
export async function discard(response: HttpResponse): Promise<void> {
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > 64 * 1024) return;
  }
}
