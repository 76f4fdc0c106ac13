import { encodeBody, parseBody, readBody } from '../../http/body.ts';
import { createHttp, type Http, type HttpRequest, type HttpResponse } from '../../http/http.ts';
import { noAnswer } from '../../http/no-answer.ts';
import { defined } from '../../core/defined.ts';
import type { DispatchError } from '../../core/errors.ts';
import type { ApiRequest, ApiResponse, KubernetesApi } from './api.ts';
import type { Connection } from '../access/connection.ts';

export interface HttpsApiOptions {
  /** Open connections, and so requests, at once; default 16. */
  readonly concurrency?: number;
  /** Bytes of one answer; default 16 MiB. */
  readonly maxBytes?: number;
}

/** The Kubernetes API without a generated client: a few requests, on connections that stay open between them. */
export function createKubernetesApi(connection: Connection, options: HttpsApiOptions = {}): KubernetesApi {
  const { concurrency = 16, maxBytes = 16 * 1024 * 1024 } = options;
  const ask = openApi(connection, createHttp({ connections: concurrency }));

  const attempt = async (request: ApiRequest, renew: boolean): Promise<ApiResponse> => {
    const response = await ask(rawRequest(request), renew);
    return answer(response, await readBody(response.body, maxBytes));
  };

  return {
    async request(request) {
      try {
        const response = await attempt(request, false);
        // Refused before anything was done, so that even a POST may be sent again.
        return response.status === 401 ? await attempt(request, true) : response;
      } catch (error) {
        throw silent(connection, error);
      }
    },
  };
}

export interface RawRequest extends Omit<HttpRequest, 'url' | 'tls' | 'agent'> {
  /** Path and query below the API server's URL, already encoded. */
  readonly path: string;
}

/**
 * Requests of the connection's user whose answers are read as they come: a log that grows, a page of the web UI.
 * @throws DispatchError `ClusterUnavailable` when there is no answer
 */
export function openApi(
  connection: Connection,
  http: Http,
): (request: RawRequest, renew?: boolean) => Promise<HttpResponse> {
  return async ({ path, ...request }, renew = false) => {
    try {
      const { tls, agent, headers } = await connection.credentials(renew);
      const url = new URL(connection.server.replace(/\/+$/, '') + path);
      return await http({ ...request, url, tls, headers: { ...request.headers, ...headers }, ...defined({ agent }) });
    } catch (error) {
      throw silent(connection, error);
    }
  };
}

function silent({ server }: Connection, error: unknown): DispatchError {
  return noAnswer({ reason: 'ClusterUnavailable', from: `the Kubernetes API at ${server}` }, error);
}

function rawRequest(request: ApiRequest): RawRequest {
  const { method, query = {}, timeout = 10_000, repeatable = method !== 'POST' } = request;
  const parameters = new URLSearchParams(query).toString();
  const body = encodeBody(request.body);
  return {
    method,
    path: parameters === '' ? request.path : `${request.path}?${parameters}`,
    timeout,
    repeatable,
    headers: {
      accept: request.accept ?? 'application/json, */*',
      ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
    },
    ...defined({ body }),
  };
}

function answer({ status, headers }: HttpResponse, text: string): ApiResponse {
  const retryAfter = Number(headers['retry-after']);
  const date = Date.parse(headers['date'] ?? '');
  return {
    status,
    body: parseBody(headers['content-type'], text),
    ...(Number.isFinite(retryAfter) ? { retryAfter } : {}),
    ...(Number.isFinite(date) ? { date } : {}),
  };
}
