import { Readable } from 'node:stream';
import { parseBody, readBody } from '../../core/body.ts';
import { describeError, DispatchError } from '../../core/errors.ts';
import { Payload } from '../../core/payload.ts';
import type { RestRequest, RestTransport } from './transport.ts';

export interface HttpTransportOptions {
  /** Bytes of one answer; default 8 MiB. */
  readonly maxBytes?: number;
  /** `Authorization` and the like. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A JobManager at a URL: `http://my-cluster-rest.default:8081`, or an ingress with a path. */
export function createHttpTransport(baseUrl: string, options: HttpTransportOptions = {}): RestTransport {
  const { maxBytes = 8 * 1024 * 1024, headers = {} } = options;
  const base = baseUrl.replace(/\/+$/, '');
  return async (request) => {
    const url = `${base}${request.path}${queryString(request)}`;
    try {
      const response = await fetch(url, { ...init(request, headers), redirect: 'error' });
      const body: AsyncIterable<Uint8Array> | undefined = response.body ?? undefined;
      const text = body === undefined ? '' : await readBody(body, maxBytes);
      return { status: response.status, body: parseBody(response.headers.get('content-type'), text) };
    } catch (error) {
      if (error instanceof DispatchError) throw error;
      throw new DispatchError('RestUnreachable', `no answer from ${base}: ${describeError(error)}`, { cause: error });
    }
  };
}

function queryString({ query }: RestRequest): string {
  return query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
}

function init(request: RestRequest, headers: Readonly<Record<string, string>>): RequestInit {
  const common = { method: request.method, signal: AbortSignal.timeout(request.timeout ?? 10_000) };
  if (request.body === undefined) return { ...common, headers: { ...headers } };
  const typed = { ...headers, 'content-type': request.contentType ?? 'application/json' };
  if (request.body instanceof Payload) {
    const { size, chunks } = request.body;
    const stream = Readable.toWeb(Readable.from(chunks())) as ReadableStream<Uint8Array>;
    return { ...common, body: stream, duplex: 'half', headers: { ...typed, 'content-length': String(size) } };
  }
  const body =
    request.body instanceof Uint8Array ? (request.body as Uint8Array<ArrayBuffer>) : JSON.stringify(request.body);
  return { ...common, body, headers: typed };
}
