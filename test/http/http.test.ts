import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { Payload } from '../../lib/core/payload.ts';
import { discard, readBody } from '../../lib/http/body.ts';
import { createHttp, type HttpRequest } from '../../lib/http/http.ts';
import { noAnswer } from '../../lib/http/no-answer.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function serve(listener: RequestListener): Promise<URL> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(started.address() as AddressInfo).port}/`);
}

const http = createHttp();
const read = async (request: HttpRequest, one = http): Promise<string> =>
  readBody((await one(request)).body, 1_000_000);

describe('the time of a request', () => {
  const silent: RequestListener = () => undefined;
  const stalling: RequestListener = (_request, response) => void response.write('a part of it');

  it.each([
    ['no answer', silent],
    ['an answer that stops in its middle', stalling],
  ])('ends with %s', async (_what, listener) => {
    const url = await serve(listener);
    await expect(read({ method: 'GET', url, timeout: 50 })).rejects.toThrow('none within 50 ms');
    await expect(read({ method: 'GET', url }, createHttp({ idle: 50 }))).rejects.toThrow('nothing came for 50 ms');
  });

  it.each([
    ['before the answer', silent],
    ['in the middle of the answer', stalling],
  ])('ends when it is aborted %s', async (_what, listener) => {
    const stop = new AbortController();
    const url = await serve((request, response) => {
      listener(request, response);
      setImmediate(() => stop.abort());
    });
    await expect(read({ method: 'GET', url, signal: stop.signal })).rejects.toThrow(/abort/);
  });
});

describe('a connection', () => {
  /** The second request on a connection finds it dead. */
  const dying = async (): Promise<{ url: URL; bodies: string[] }> => {
    const asked = new WeakMap<object, number>();
    const bodies: string[] = [];
    const url = await serve((request, response) => {
      const count = (asked.get(request.socket) ?? 0) + 1;
      asked.set(request.socket, count);
      if (count === 2) request.socket.destroy();
      else void readBody(request, 1000).then((body) => response.end(String(bodies.push(body))));
    });
    return { url, bodies };
  };

  it.each<[string, Partial<HttpRequest>]>([
    ['GET', { method: 'GET' }],
    ['PUT of a payload that may be repeated', { method: 'PUT', repeatable: true, body: Payload.of(Buffer.from('p')) }],
  ])('that died while it was idle costs %s a repeat', async (_what, request) => {
    const { url, bodies } = await dying();
    const one = createHttp();
    await read({ method: 'GET', url }, one);
    expect(await read({ method: 'GET', url, ...request }, one)).toBe('2');
    expect(bodies.at(-1)).toBe(request.body === undefined ? '' : 'p');
  });

  it.each<[string, Partial<HttpRequest>]>([
    ['POST', { method: 'POST' }],
    ['PUT of a stream, which is over', { method: 'PUT', repeatable: true, body: Readable.from([Buffer.from('s')]) }],
  ])('that died while it was idle fails %s', async (_what, request) => {
    const { url, bodies } = await dying();
    const one = createHttp();
    await read({ method: 'GET', url }, one);
    await expect(read({ method: 'GET', url, ...request }, one)).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
    expect(bodies).toHaveLength(1);
  });

  it('is free again once its answer is read, or forgotten', async () => {
    const sockets = new Set<object>();
    const url = await serve((request, response) => {
      sockets.add(request.socket);
      response.end('x'.repeat(1000));
    });
    const one = createHttp({ connections: 1 });
    await read({ method: 'GET', url }, one);
    await discard(await one({ method: 'GET', url }));
    await read({ method: 'GET', url }, one);
    expect(sockets.size).toBe(1);
  });
});

it('a redirect is an answer', async () => {
  const url = await serve((_request, response) =>
    response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
  );
  expect(await http({ method: 'GET', url })).toMatchObject({ status: 302 });
});

it('another protocol is not spoken', async () => {
  await expect(http({ method: 'GET', url: new URL('ftp://127.0.0.1/') })).rejects.toThrow('ftp: is not spoken here');
});

describe('no answer', () => {
  const asked = { reason: 'RestUnreachable', from: 'the JobManager' } as const;
  const failing = (error: Error): Payload =>
    // eslint-disable-next-line @typescript-eslint/require-await -- a source that fails at once
    new Payload(10, async function* () {
      yield Buffer.from('12345');
      throw error;
    });

  it('has a reason, and who gave none', async () => {
    const error = await read({ method: 'GET', url: new URL('http://127.0.0.1:1/') }).catch((reason: unknown) => reason);
    expect(noAnswer({ ...asked, what: 'reading jobs' }, error)).toMatchObject({
      reason: 'RestUnreachable',
      message: expect.stringMatching(/^reading jobs: no answer from the JobManager: .*ECONNREFUSED/) as string,
    });
  });

  it('because the body could not be read is told by the reader', async () => {
    const url = await serve((request) => void request.resume());
    const send = (error: Error): Promise<unknown> =>
      http({ method: 'POST', url, body: failing(error) }).catch((reason: unknown) => reason);
    const gone = new DispatchError('JarNotFound', 'it is gone');
    expect(noAnswer(asked, await send(gone))).toBe(gone);
    expect(noAnswer(asked, await send(new Error('no more of it')))).toMatchObject({
      reason: 'RestUnreachable',
      message: 'no answer from the JobManager: no more of it',
    });
  });
});
