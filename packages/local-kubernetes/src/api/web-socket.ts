import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Store } from '../store.ts';
import { parseTarget } from './request.ts';
import { watch } from './watch.ts';

/** Watches over web sockets: how fabric8, the client inside Flink, asks first. */
export class WatchSockets {
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://local');
    let target;
    try {
      target = parseTarget(url.pathname);
    } catch {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
      return;
    }
    if (!['true', '1'].includes(url.searchParams.get('watch') ?? '')) {
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
      return;
    }
    const asked = target;
    this.#server.handleUpgrade(request, socket, head, (client) => {
      const closed = new AbortController();
      client.once('close', () => {
        closed.abort();
      });
      client.on('error', () => undefined);
      watch(this.#store, asked, url.searchParams, {
        send: (event) => {
          client.send(JSON.stringify(event));
        },
        close: () => {
          client.close();
        },
        closed: closed.signal,
      });
    });
  }

  stop(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }
}
