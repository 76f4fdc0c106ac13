import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hear, NOTHING_HEARD, type Account, type Testimony, type Variant } from './account.ts';

/** Where the jobs of Counter.java tell what they do: the one account that passes through no part of the product. */
export interface Witness {
  /** For the job's arguments. */
  readonly url: string;
  readonly account: Account;
  /** Pieces of work that follow from each number. */
  pieces: number;
  /** Resolves as soon as it holds. @throws Error that tells what was heard instead. */
  until(what: string, seconds: number, holds: (account: Account) => boolean): Promise<Account>;
  stop(): Promise<void>;
}

/** `host`: an address of this machine that the job's pods reach. */
export async function startWitness(host: string): Promise<Witness> {
  let [account, pieces] = [NOTHING_HEARD, 1];
  const listeners = new Set<() => void>();
  const server = createServer((request, response) => {
    account = hear(account, testimony(new URL(request.url ?? '/', 'http://witness').searchParams, Date.now()));
    response.writeHead(204, { 'x-pieces': String(pieces) }).end();
    for (const listener of listeners) listener();
  });
  // A task that is stopped for longer than this still has its connection.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    get account() {
      return account;
    },
    get pieces() {
      return pieces;
    },
    set pieces(next) {
      pieces = next;
    },
    until: (what, seconds, holds) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!holds(account)) return;
          done();
          resolve(account);
        };
        const timer = setTimeout(() => {
          done();
          reject(new Error(`not within ${seconds} s: ${what}; heard: ${JSON.stringify(account)}`));
        }, seconds * 1000);
        const done = (): void => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function testimony(query: URLSearchParams, at: number): Testimony {
  const text = (name: string): string => query.get(name) ?? '';
  const number = (name: string): number => Number(text(name));
  const [life, job, pod] = ['life', 'job', 'pod'].map(text);
  const speaker = { at, life: life ?? '', job: job ?? '', pod: pod ?? '', variant: text('variant') as Variant };
  switch (text('kind')) {
    case 'open': {
      const restored = query.has('restored') ? { restored: number('restored') } : {};
      return { ...speaker, kind: 'open', position: number('position'), ...restored };
    }
    case 'checkpoint':
      return { ...speaker, kind: 'checkpoint', checkpoint: number('checkpoint'), position: number('position') };
    default:
      return { ...speaker, kind: 'number', number: number('number'), count: number('count'), sum: number('sum') };
  }
}
