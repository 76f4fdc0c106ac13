import { createServer } from 'node:net';

/**
 * Where a pod's ports are on this machine. A pod has a loopback address of its own and its ports are the container's
 * (Linux), or it shares 127.0.0.1 and each of its ports has a free number: Flink's JobManagers, which call themselves
 * "localhost" here and there, and all pods where there are no more loopback addresses (macOS).
 */
export interface PodAddress {
  readonly ip: string;
  readonly shared: boolean;
  port(containerPort: number): number;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}

export interface AddressRequest {
  readonly uid: string;
  /** Of the pod's controller: its next pod gets the address again, as a Service's name would lead to it. */
  readonly controller: string | undefined;
  readonly ports: readonly number[];
  readonly shared: boolean;
}

/** Hands out pod addresses; one network of 250 for each API server port, so that several servers do not meet. */
export class Addresses {
  readonly #prefix: string;
  readonly #aliases: boolean;
  readonly #used = new Map<string, PodAddress>();
  readonly #last = new Map<string, PodAddress>();

  constructor(apiPort: number, aliases = process.platform === 'linux') {
    this.#prefix = `127.${String(apiPort >> 8)}.${String(apiPort & 255)}`;
    this.#aliases = aliases;
  }

  async allocate(request: AddressRequest): Promise<PodAddress> {
    const last = request.controller === undefined ? undefined : this.#last.get(request.controller);
    const again = last !== undefined && ![...this.#used.values()].includes(last) ? last : undefined;
    const address = again ?? (request.shared || !this.#aliases ? await mapped(request.ports) : this.#own());
    this.#used.set(request.uid, address);
    if (request.controller !== undefined) this.#last.set(request.controller, address);
    return address;
  }

  find(uid: string): PodAddress | undefined {
    return this.#used.get(uid);
  }

  release(uid: string): void {
    this.#used.delete(uid);
  }

  #own(): PodAddress {
    const taken = new Set([...this.#used.values()].map(({ ip }) => ip));
    const kept = new Set([...this.#last.values()].map(({ ip }) => ip));
    const all = Array.from({ length: 250 }, (_, index) => `${this.#prefix}.${String(index + 2)}`);
    const free = all.filter((ip) => !taken.has(ip));
    const ip = free.find((each) => !kept.has(each)) ?? free[0];
    if (ip === undefined) throw new Error('no pod address is left: more than 250 pods');
    return { ip, shared: false, port: (port) => port };
  }
}

async function mapped(ports: readonly number[]): Promise<PodAddress> {
  const numbers = new Map<number, number>();
  for (const port of ports) numbers.set(port, await freePort());
  return { ip: '127.0.0.1', shared: true, port: (port) => numbers.get(port) ?? port };
}
