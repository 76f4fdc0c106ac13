import { createServer } from 'node:net';

/**
 * Where a pod's ports are on this machine. With loopback aliases (Linux) each pod has an address of its own and its
 * ports are the container's. Without (macOS) all pods share 127.0.0.1 and each port gets a free number.
 */
export interface PodAddress {
  readonly ip: string;
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

/** Hands out pod addresses; one network of 250 for each API server port, so that several servers do not meet. */
export class Addresses {
  readonly #prefix: string;
  readonly #aliases: boolean;
  readonly #used = new Map<string, PodAddress>();
  /** The address that a controller's last pod had: its successor gets it again, as a name would resolve again. */
  readonly #last = new Map<string, string>();

  constructor(apiPort: number, aliases = process.platform === 'linux') {
    this.#prefix = `127.${String(apiPort >> 8)}.${String(apiPort & 255)}`;
    this.#aliases = aliases;
  }

  async allocate(uid: string, controller: string | undefined, ports: readonly number[]): Promise<PodAddress> {
    const address = this.#aliases ? this.#own(controller) : await shared(ports);
    this.#used.set(uid, address);
    return address;
  }

  find(uid: string): PodAddress | undefined {
    return this.#used.get(uid);
  }

  release(uid: string): void {
    this.#used.delete(uid);
  }

  #own(controller: string | undefined): PodAddress {
    const taken = new Set([...this.#used.values()].map(({ ip }) => ip));
    const last = controller === undefined ? undefined : this.#last.get(controller);
    const kept = new Set(this.#last.values());
    const all = Array.from({ length: 250 }, (_, index) => `${this.#prefix}.${String(index + 2)}`);
    const free = all.filter((ip) => !taken.has(ip));
    const ip =
      (last !== undefined && !taken.has(last) ? last : undefined) ?? free.find((ip) => !kept.has(ip)) ?? free[0];
    if (ip === undefined) throw new Error('no pod address is left: more than 250 pods');
    if (controller !== undefined) this.#last.set(controller, ip);
    return { ip, port: (port) => port };
  }
}

async function shared(ports: readonly number[]): Promise<PodAddress> {
  const mapped = new Map<number, number>();
  for (const port of ports) mapped.set(port, await freePort());
  return { ip: '127.0.0.1', port: (port) => mapped.get(port) ?? port };
}
