import { createHash } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import { Readable } from 'node:stream';
import { parseBody, readBody } from '../../core/body.ts';
import { describeError, DispatchError } from '../../core/errors.ts';
import { Payload } from '../../core/payload.ts';
import type { ApiRequest, ApiResponse, KubernetesApi } from './api.ts';
import type { Connection, Credentials, TlsSettings } from '../access/connection.ts';

export interface HttpsApiOptions {
  /** Open connections, and so requests, at once; default 16. */
  readonly concurrency?: number;
  /** Bytes of one answer; default 16 MiB. */
  readonly maxBytes?: number;
}

interface Limits {
  readonly concurrency: number;
  readonly maxBytes: number;
}

interface Exchange {
  readonly url: URL;
  readonly request: ApiRequest;
  readonly credentials: Credentials;
  readonly agent: http.Agent;
  readonly maxBytes: number;
}

/** The API server refused a reused connection before it had read the request. */
class StaleConnection extends Error {}

/**
 * The Kubernetes API without a generated client: a few requests, on connections that stay open between them.
 * An idle connection that turns out to be dead costs a repeat, not a failure, for what may be repeated.
 */
export function createKubernetesApi(connection: Connection, options: HttpsApiOptions = {}): KubernetesApi {
  const limits = { concurrency: options.concurrency ?? 16, maxBytes: options.maxBytes ?? 16 * 1024 * 1024 };
  const agents = agentPool(limits);

  const attempt = async (request: ApiRequest, renew: boolean): Promise<ApiResponse> => {
    const credentials = await connection.credentials(renew);
    const url = new URL(`${connection.server.replace(/\/+$/, '')}${request.path}`);
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.append(name, value);
    const agent = credentials.agent ?? agents(url.protocol, credentials.tls);
    return exchange({ url, request, credentials, agent, maxBytes: limits.maxBytes });
  };

  return {
    async request(request) {
      try {
        const response = await repeatWhenStale(request, () => attempt(request, false));
        // Refused before anything was done, so that even a POST may be sent again.
        return response.status === 401 ? await attempt(request, true) : response;
      } catch (error) {
        if (error instanceof DispatchError) throw error;
        const message = `no answer from the Kubernetes API at ${connection.server}: ${describeError(error)}`;
        throw new DispatchError('ClusterUnavailable', message, { cause: error });
      }
    },
  };
}

async function repeatWhenStale(request: ApiRequest, send: () => Promise<ApiResponse>): Promise<ApiResponse> {
  try {
    return await send();
  } catch (error) {
    const repeatable = request.repeatable ?? request.method !== 'POST';
    if (!(error instanceof StaleConnection) || !repeatable) throw error;
    return send();
  }
}

/** One pool of connections for as long as the TLS material stays the same. */
function agentPool(limits: Limits): (protocol: string, tls: TlsSettings) => http.Agent {
  let current: { readonly key: string; readonly agent: http.Agent } | undefined;
  return (protocol, tls) => {
    const key = createHash('sha256')
      .update(JSON.stringify([protocol, tls]))
      .digest('base64');
    if (current?.key !== key) current = { key, agent: newAgent(protocol, tls, limits.concurrency) };
    return current.agent;
  };
}

function newAgent(protocol: string, tls: TlsSettings, maxSockets: number): http.Agent {
  const common = { keepAlive: true, maxSockets, scheduling: 'lifo' } as const;
  if (protocol === 'http:') return new http.Agent(common);
  const { insecure, ...material } = tls;
  return new https.Agent({ ...common, ...material, ...(insecure === true ? { rejectUnauthorized: false } : {}) });
}

function exchange({ url, request, credentials, agent, maxBytes }: Exchange): Promise<ApiResponse> {
  const body = encodeBody(request.body);
  const headers = {
    accept: request.accept ?? 'application/json, */*',
    'user-agent': 'flink-dispatch',
    ...credentials.headers,
    ...(body === undefined
      ? {}
      : { 'content-type': request.contentType ?? 'application/json', 'content-length': String(lengthOf(body)) }),
  };
  const timeout = request.timeout ?? 10_000;
  return new Promise((resolve, reject) => {
    const client = url.protocol === 'http:' ? http : https;
    const sent = client.request(url, { method: request.method, headers, agent });
    const timer = setTimeout(() => sent.destroy(new Error(`none within ${timeout} ms`)), timeout);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(sent.reusedSocket && isReset(error) ? new StaleConnection(error.message, { cause: error }) : error);
    };
    sent.on('error', fail);
    sent.on('response', (response) => {
      readBody(response, maxBytes)
        .then((text) => resolve(answer(response, text)), fail)
        .finally(() => clearTimeout(timer));
    });
    if (body instanceof Payload) {
      // A source that fails takes the request with it; what the request itself meets is told above.
      const source = Readable.from(body.chunks()).on('error', (error) => sent.destroy(error));
      sent.on('close', () => source.destroy());
      source.pipe(sent);
    } else {
      sent.end(body);
    }
  });
}

function encodeBody(body: unknown): Uint8Array | Payload | undefined {
  if (body === undefined || body instanceof Uint8Array || body instanceof Payload) return body;
  return Buffer.from(JSON.stringify(body), 'utf8');
}

function lengthOf(body: Uint8Array | Payload): number {
  return body instanceof Payload ? body.size : body.byteLength;
}

function isReset(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function answer(response: http.IncomingMessage, text: string): ApiResponse {
  const retryAfter = Number(response.headers['retry-after']);
  const date = Date.parse(response.headers.date ?? '');
  return {
    status: response.statusCode ?? 0,
    body: parseBody(response.headers['content-type'], text),
    ...(Number.isFinite(retryAfter) ? { retryAfter } : {}),
    ...(Number.isFinite(date) ? { date } : {}),
  };
}
