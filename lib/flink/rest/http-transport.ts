import { defined } from '../../core/defined.ts';
import { encodeBody, parseBody, readBody } from '../../http/body.ts';
import { createHttp } from '../../http/http.ts';
import { noAnswer } from '../../http/no-answer.ts';
import type { RestRequest, RestResponse, RestTransport } from './transport.ts';

export interface HttpTransportOptions {
  /** Bytes of one answer; default 8 MiB. */
  readonly maxBytes?: number;
}

/** One for all JobManagers: a transport may be made for each look. */
const http = createHttp();

/** A JobManager at a URL: `http://my-cluster-rest.default:8081`, or an ingress with a path. */
export function createHttpTransport(
  baseUrl: string,
  { maxBytes = 8 * 1024 * 1024 }: HttpTransportOptions = {},
): RestTransport {
  const base = baseUrl.replace(/\/+$/, '');
  return async (request) => {
    try {
      return await ask(base, request, maxBytes);
    } catch (error) {
      throw noAnswer({ reason: 'RestUnreachable', from: base }, error);
    }
  };
}

async function ask(base: string, request: RestRequest, maxBytes: number): Promise<RestResponse> {
  const { method, contentType = 'application/json', timeout = 10_000 } = request;
  const body = encodeBody(request.body);
  const response = await http({
    method,
    url: new URL(`${base}${request.path}${queryString(request)}`),
    headers: body === undefined ? {} : { 'content-type': contentType },
    timeout,
    ...defined({ body }),
  });
  const text = await readBody(response.body, maxBytes);
  // Flink gives none: a login page is in front of it.
  if (response.status >= 300 && response.status < 400)
    throw new Error(`it answers with a redirect (${response.status})`);
  return { status: response.status, body: parseBody(response.headers['content-type'], text) };
}

function queryString({ query }: RestRequest): string {
  return query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
}
