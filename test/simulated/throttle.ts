import { createServer, request as send } from 'node:http';

export interface Throttle {
  readonly url: string;
  /** Requests answered with 429, and all. */
  readonly counts: { throttled: number; all: number };
  stop(): Promise<void>;
}

const BUSY = JSON.stringify({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason: 'TooManyRequests',
  message: 'too many requests, please try again later',
  code: 429,
});

/** Stands before an API server and refuses every nth request, as API Priority and Fairness does. */
export async function startThrottle(upstream: string, every: number): Promise<Throttle> {
  const counts = { throttled: 0, all: 0 };
  const { hostname, port } = new URL(upstream);
  const server = createServer((request, response) => {
    counts.all += 1;
    if (counts.all % every === 0) {
      counts.throttled += 1;
      request.resume();
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '1' }).end(BUSY);
      return;
    }
    const { method, url: path, headers } = request;
    const forwarded = send({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.once('error', () => response.destroy());
    request.pipe(forwarded);
  });
  const own = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    url: `http://127.0.0.1:${own}`,
    counts,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
