import * as http from 'node:http';
import * as https from 'node:https';
import type { Connection } from '../../../../lib/kubernetes/access/connection.ts';
import { defined } from '../../../../lib/core/defined.ts';
import { describeError, DispatchError } from '../../../../lib/core/errors.ts';

export interface StreamRequest {
  readonly method?: string;
  /** Path and query below the API server's URL, already encoded. */
  readonly path: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: NodeJS.ReadableStream;
  readonly signal?: AbortSignal;
}

/** A request to the API server whose answer is read as it comes: a log that grows, a page of the web UI. */
export async function openStream(connection: Connection, request: StreamRequest): Promise<http.IncomingMessage> {
  const { headers, tls, agent } = await connection.credentials(false);
  const { insecure, ...material } = tls;
  const url = new URL(connection.server.replace(/\/+$/, '') + request.path);
  const options: https.RequestOptions = {
    method: request.method ?? 'GET',
    headers: { ...request.headers, ...headers },
    ...(agent === undefined ? material : { agent }),
    ...(insecure === true && { rejectUnauthorized: false }),
    ...defined({ signal: request.signal }),
  };
  return new Promise((resolve, reject) => {
    const sent = (url.protocol === 'http:' ? http : https).request(url, options, resolve);
    sent.on('error', (error) => {
      reject(
        new DispatchError('ClusterUnavailable', `no answer from the Kubernetes API: ${describeError(error)}`, {
          cause: error,
        }),
      );
    });
    if (request.body === undefined) sent.end();
    else request.body.pipe(sent);
  });
}
