import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { uiProxy } from '../src/commands/ui.ts';
import { parseClusterId } from '../../../lib/core/ids.ts';

const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An API server that answers with what it was asked, and our proxy before it. */
async function proxied(): Promise<string> {
  const server = await serve((request, response) => {
    const { url, method, headers } = request;
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => {
      response.writeHead(201, { 'content-type': 'application/json', 'x-from': 'jobmanager' });
      response.end(JSON.stringify({ url, method, headers, body: Buffer.concat(body).toString() }));
    });
  });
  const credentials = { headers: { authorization: 'Bearer ours' }, tls: {} };
  const connection = { server: `${server}/k8s`, credentials: () => Promise.resolve(credentials) };
  return serve(uiProxy(connection, { namespace: 'jobs', clusterId: parseClusterId('a') }));
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Echo {
  readonly url: string;
  readonly method: string;
  readonly body: string;
  readonly headers: Record<string, string>;
}

describe('uiProxy', () => {
  it('sends a request to the REST Service, as us and not as the browser', async () => {
    const url = await proxied();
    const headers = {
      authorization: 'Bearer theirs',
      cookie: 'a=b',
      'x-remote-user': 'root',
      'impersonate-user': 'root',
    };
    const answer = await fetch(`${url}/jobs/x%2Fy?mode=cancel`, { method: 'PATCH', body: 'hello', headers });
    expect([answer.status, answer.headers.get('x-from')]).toEqual([201, 'jobmanager']);
    const echo = (await answer.json()) as Echo;
    expect(echo).toMatchObject({
      url: '/k8s/api/v1/namespaces/jobs/services/a-rest%3Arest/proxy/jobs/x%2Fy?mode=cancel',
      method: 'PATCH',
      body: 'hello',
    });
    expect(echo.headers['authorization']).toBe('Bearer ours');
    expect(Object.keys(echo.headers)).not.toEqual(expect.arrayContaining(['cookie']));
    expect(Object.keys(echo.headers).filter((name) => /^(x-remote|impersonate)/.test(name))).toEqual([]);
  });

  it.each([
    ['a page of another origin', { origin: 'http://evil.example' }],
    ['a page of another local port', { origin: 'http://127.0.0.1:1' }],
  ])('refuses %s', async (_what, headers) => {
    const answer = await fetch(`${await proxied()}/jobs`, { method: 'POST', headers });
    expect(answer.status).toBe(403);
  });
});
