import { Agent, createServer, request as send, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer in a server's place. */
export interface Refusal {
  /** What is throttled: `s3`, `sqs SendMessage`. */
  readonly what: string;
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

/** What a throttled server would say to a request; `undefined`: this one is never throttled. */
export type Refuse = (request: IncomingMessage) => Refusal | undefined;

export interface ThrottleOptions {
  /** The server behind it. */
  readonly upstream: string;
  readonly refuse: Refuse;
  readonly seed: number;
  /** The largest share of requests that is refused at a time. */
  readonly most: number;
}

export interface Throttle {
  readonly url: string;
  /** Requests by what would be throttled, and those of them that were. */
  readonly counts: ReadonlyMap<string, { readonly asked: number; readonly refused: number }>;
  stop(): Promise<void>;
}

/** Milliseconds for which a share of refusals stays the same. */
const SPELL = 5_000;
/** One request in so many of a kind is refused whatever is drawn: no kind goes through a load without a refusal. */
const SURE = 40;
const HOP_BY_HOP = ['connection', 'keep-alive', 'host'];

/**
 * Stands before a server and refuses some of what it is asked, before the server hears of it. Throttling comes in spells:
 * the seed decides for each kind of request and each five seconds which share of the requests is refused, from none
 * (half of the time) to the most. Beside that one request in forty is.
 */
export async function startThrottle({ upstream, refuse, seed, most }: ThrottleOptions): Promise<Throttle> {
  const counts = new Map<string, { asked: number; refused: number }>();
  const { hostname, port } = new URL(upstream);
  const agent = new Agent();
  const began = Date.now();
  const refused = (what: string): boolean => {
    const count = counts.get(what) ?? { asked: 0, refused: 0 };
    counts.set(what, count);
    count.asked += 1;
    const spell = Math.floor((Date.now() - began) / SPELL);
    const share = Math.max(0, 2 * draw(`${seed} ${what} ${spell}`) - 1) * most;
    const hit = most > 0 && (count.asked % SURE === 0 || draw(`${seed} ${what} ${spell} ${count.asked}`) < share);
    if (hit) count.refused += 1;
    return hit;
  };
  const server = createServer((request, response) => {
    const refusal = refuse(request);
    if (refusal !== undefined && refused(refusal.what)) {
      request.resume();
      request.once('end', () => response.writeHead(refusal.status, refusal.headers).end(refusal.body));
      return;
    }
    const { method, url: path } = request;
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
    const forwarded = send({ agent, hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.once('error', () => response.destroy());
    response.once('close', () => forwarded.destroy());
    request.pipe(forwarded);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}

/** A number from 0 to 1 that depends on the text alone (FNV-1a, mixed). */
export function draw(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
