import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Connection } from '../../lib/kubernetes/access/connection.ts';

export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  /** Of the connection that it came on, counted from 1. */
  readonly connection: number;
}

export type Answer = (seen: Seen, response: ServerResponse) => void;

export interface ScriptedServer {
  readonly url: string;
  readonly seen: readonly Seen[];
  close(): Promise<void>;
}

/** An API server on loopback that says what a test tells it to. */
export async function scriptedServer(answer: Answer): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  let connections = 0;
  const numbers = new WeakMap<object, number>();
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const isJson = request.headers['content-type'] === 'application/json';
      const one: Seen = {
        method: request.method ?? '',
        url: new URL(request.url ?? '/', 'http://localhost'),
        headers: request.headers,
        body: isJson ? (JSON.parse(text) as unknown) : text,
        connection: numbers.get(request.socket) ?? 0,
      };
      seen.push(one);
      answer(one, response);
    });
  });
  server.on('connection', (socket) => numbers.set(socket, ++connections));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** A Status as API servers write it. */
export function failure(code: number, reason: string, message: string, details: object = {}): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details };
}

export function connectionTo(url: string): Connection {
  return { server: url, credentials: () => Promise.resolve({ headers: { authorization: 'Bearer t' }, tls: {} }) };
}
