import { connect, createServer, type Server } from 'node:net';
import { endpointOf } from './api/proxy.ts';
import type { Addresses } from './node/addresses.ts';
import { NODE_IP } from './node/node-services.ts';
import type { Service, ServicePort } from './objects.ts';
import { SERVICES } from './resources.ts';
import type { Change, Store } from './store.ts';

/** Opens the node ports of Services on 127.0.0.1 and passes connections on to a ready pod. */
export class NodePorts {
  readonly #network: { store: Store; addresses: Addresses };
  readonly #servers = new Map<string, Server>();
  readonly #onError: (error: unknown) => void;

  constructor(network: { store: Store; addresses: Addresses }, onError: (error: unknown) => void) {
    this.#network = network;
    this.#onError = onError;
  }

  onChange({ type, resource, object }: Change): void {
    if (resource !== SERVICES) return;
    const service = object as Service;
    for (const port of service.spec.ports ?? []) {
      if (port.nodePort === undefined) continue;
      const key = `${service.metadata.uid}/${String(port.nodePort)}`;
      if (type === 'DELETED') this.#close(key);
      else if (!this.#servers.has(key)) this.#servers.set(key, this.#open(service, port, port.nodePort));
    }
  }

  stop(): void {
    for (const key of [...this.#servers.keys()]) this.#close(key);
  }

  #open(service: Service, port: ServicePort, nodePort: number): Server {
    const server = createServer((client) => {
      const endpoint = endpointOf(this.#network, service, port);
      if (endpoint === undefined) {
        client.destroy();
        return;
      }
      const pod = connect(endpoint.port, endpoint.host);
      client.pipe(pod).pipe(client);
      for (const [end, other] of [
        [client, pod],
        [pod, client],
      ] as const) {
        end.on('error', () => other.destroy()).on('close', () => other.destroy());
      }
    });
    server.on('error', this.#onError);
    return server.listen(nodePort, NODE_IP);
  }

  #close(key: string): void {
    this.#servers.get(key)?.close();
    this.#servers.delete(key);
  }
}
