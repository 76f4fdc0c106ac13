import { afterEach, describe, expect, it } from 'vitest';
import { Payload } from '../../lib/core/payload.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { connectionTo, json, scriptedServer, type Answer, type ScriptedServer } from './api-server.ts';

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(answer: Answer): Promise<ScriptedServer> {
  server = await scriptedServer(answer);
  return server;
}

describe('the Kubernetes API over HTTP', () => {
  it('keeps its connection, sends its credentials and encodes what it is given', async () => {
    const { url, seen } = await serve((_seen, response) => json(response, 200, { ok: true }));
    const api = createKubernetesApi(connectionTo(`${url}/behind/a/path/`));
    const query = { labelSelector: 'app=a&b=c', fieldSelector: 'x=ü' };
    expect(await api.request({ method: 'GET', path: '/api/v1/pods', query })).toMatchObject({
      status: 200,
      body: { ok: true },
    });
    await api.request({ method: 'POST', path: '/api/v1/pods', body: { name: 'ü' } });
    expect(seen[0]?.url.pathname).toBe('/behind/a/path/api/v1/pods');
    expect(Object.fromEntries(seen[0]?.url.searchParams ?? [])).toEqual(query);
    expect(seen[0]?.headers.authorization).toBe('Bearer t');
    expect(seen[1]?.body).toEqual({ name: 'ü' });
    expect(seen.map(({ connection }) => connection)).toEqual([1, 1]);
  });

  it('sends bytes as they are, and reads text as text', async () => {
    const { url, seen } = await serve((_seen, response) => void response.end('line 1\n'));
    const body = Buffer.from('a=b');
    const api = createKubernetesApi(connectionTo(url));
    const response = await api.request({ method: 'POST', path: '/x', body, contentType: 'text/x' });
    expect(response.body).toBe('line 1\n');
    expect(seen[0]?.body).toBe('a=b');
  });

  it('streams a payload, and fails with its source', async () => {
    const { url, seen } = await serve((_seen, response) => json(response, 200, {}));
    const api = createKubernetesApi(connectionTo(url));
    const body = Payload.of(Buffer.from('middle')).between(Buffer.from('<'), Buffer.from('>'));
    expect(await api.request({ method: 'POST', path: '/x', body, contentType: 'text/x' })).toMatchObject({
      status: 200,
    });
    expect(seen[0]).toMatchObject({ body: '<middle>', headers: { 'content-length': '8', 'content-type': 'text/x' } });
    // eslint-disable-next-line @typescript-eslint/require-await -- a source that fails at once
    const broken = new Payload(10, async function* () {
      yield Buffer.from('12345');
      throw new Error('no more of it');
    });
    await expect(api.request({ method: 'POST', path: '/x', body: broken })).rejects.toMatchObject({
      reason: 'ClusterUnavailable',
      message: expect.stringContaining('no more of it') as string,
    });
  });

  it('passes every status on, with the time that it was told to wait', async () => {
    const { url } = await serve((_seen, response) => json(response, 429, { kind: 'Status' }, { 'retry-after': '7' }));
    const response = await createKubernetesApi(connectionTo(url)).request({ method: 'GET', path: '/' });
    expect(response).toMatchObject({ status: 429, body: { kind: 'Status' }, retryAfter: 7 });
  });

  it('asks for new credentials once when they are refused', async () => {
    const { url, seen } = await serve(({ headers }, response) =>
      json(response, headers.authorization === 'Bearer 2' ? 201 : 401, {}),
    );
    let token = 1;
    const api = createKubernetesApi({
      server: url,
      credentials: (renew) => {
        if (renew) token += 1;
        return Promise.resolve({ headers: { authorization: `Bearer ${token}` }, tls: {} });
      },
    });
    expect((await api.request({ method: 'POST', path: '/x', body: {} })).status).toBe(201);
    expect(seen).toHaveLength(2);
  });

  it.each([
    ['GET', undefined, 3],
    ['DELETE', undefined, 3],
    ['POST', undefined, 2],
    ['POST', true, 3],
  ] as const)(
    'repeats %s (repeatable %s) on a connection that died while idle',
    async (method, repeatable, requests) => {
      let count = 0;
      const { url, seen } = await serve(({ connection }, response) => {
        count += 1;
        // The second request comes on the kept connection, which the server has given up.
        if (count === 2 && connection === 1) response.socket?.destroy();
        else json(response, 200, {});
      });
      const api = createKubernetesApi(connectionTo(url));
      await api.request({ method: 'GET', path: '/first' });
      const second = api.request({ method, path: '/second', ...(repeatable === undefined ? {} : { repeatable }) });
      if (requests === 3) expect((await second).status).toBe(200);
      else await expect(second).rejects.toMatchObject({ reason: 'ClusterUnavailable' });
      expect(seen).toHaveLength(requests);
    },
  );

  it('has no answer from a server that is silent, too talkative or not there', async () => {
    const { url } = await serve(({ url: { pathname } }, response) => {
      if (pathname === '/talks') response.end('x'.repeat(2000));
      if (pathname === '/stalls') response.write('{');
    });
    const api = createKubernetesApi(connectionTo(url), { maxBytes: 1000 });
    const ask = (path: string) => api.request({ method: 'GET', path, timeout: 50 });
    await expect(ask('/silent')).rejects.toMatchObject({ reason: 'ClusterUnavailable', message: /within 50 ms/ });
    await expect(ask('/stalls')).rejects.toMatchObject({ reason: 'ClusterUnavailable' });
    await expect(ask('/talks')).rejects.toMatchObject({ message: expect.stringContaining('1000 bytes') as string });
    const nobody = createKubernetesApi(connectionTo('http://127.0.0.1:1'));
    await expect(nobody.request({ method: 'GET', path: '/' })).rejects.toMatchObject({
      reason: 'ClusterUnavailable',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('holds no more connections than it may', async () => {
    let open = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const { url } = await serve((_seen, response) => {
      open += 1;
      most = Math.max(most, open);
      waiting.push(() => {
        open -= 1;
        json(response, 200, {});
      });
      if (waiting.length >= 2) for (const go of waiting.splice(0)) go();
    });
    const api = createKubernetesApi(connectionTo(url), { concurrency: 2 });
    await Promise.all(Array.from({ length: 6 }, () => api.request({ method: 'GET', path: '/' })));
    expect(most).toBe(2);
  });
});
