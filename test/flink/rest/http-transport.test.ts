import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Payload } from '../../../lib/core/payload.ts';
import { createHttpTransport } from '../../../lib/flink/rest/http-transport.ts';

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

it('sends JSON and reads JSON', async () => {
  const url = await serve((request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json; charset=UTF-8');
      response.end(
        JSON.stringify({ url: request.url, method: request.method, body, type: request.headers['content-type'] }),
      );
    });
  });
  const answer = await createHttpTransport(`${url}/base/`)({
    method: 'POST',
    path: '/jars/x',
    query: { a: 'b c' },
    body: { k: 1 },
  });
  expect(answer).toEqual({
    status: 200,
    body: { url: '/base/jars/x?a=b+c', method: 'POST', body: '{"k":1}', type: 'application/json' },
  });
});

it('streams a payload with its length', async () => {
  const url = await serve((request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => response.end(`${request.headers['content-length']} ${body}`));
  });
  const body = Payload.of(Buffer.from('middle')).between(Buffer.from('<'), Buffer.from('>'));
  const answer = await createHttpTransport(url)({ method: 'POST', path: '/', body, contentType: 'text/x' });
  expect(answer).toEqual({ status: 200, body: '8 <middle>' });
});

it('gives an answer cut short as text', async () => {
  const url = await serve((_request, response) =>
    response.setHeader('content-type', 'application/json').end('{"jobs":['),
  );
  expect(await createHttpTransport(url)({ method: 'GET', path: '/jobs/overview' })).toEqual({
    status: 200,
    body: '{"jobs":[',
  });
});

it.each<[string, RequestListener, RegExp]>([
  ['an answer that is too large', (_request, response) => response.end('x'.repeat(20_000)), /larger than 10000 bytes/],
  [
    'a connection that breaks',
    (_request, response) => {
      response.write('x');
      response.destroy();
    },
    /no answer from/,
  ],
  [
    'a redirect',
    (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    /no answer from/,
  ],
  ['silence', () => undefined, /no answer from .*none within 200 ms/],
])('%s is RestUnreachable', async (_what, listener, message) => {
  const transport = createHttpTransport(await serve(listener), { maxBytes: 10_000 });
  await expect(transport({ method: 'GET', path: '/overview', timeout: 200 })).rejects.toMatchObject({
    reason: 'RestUnreachable',
    message: expect.stringMatching(message) as string,
  });
});
