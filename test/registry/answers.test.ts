import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { parseChallenges } from '../../lib/registry/challenge.ts';
import { clientFor, inPieces, open, sha } from './support/images.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DIGEST = `sha256:${'b'.repeat(64)}`;
const SECRET = { kind: 'secret', arn: 'arn:aws:secretsmanager:us-east-1:1:secret:x' } as const;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse, host: string) => void;

/** A registry of a few lines, on loopback; `asked` is what it was asked. */
async function serve(handler: Handler): Promise<{ host: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume().on('end', () => {
      handler(request, response, request.headers.host ?? '');
    });
  });
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  return { host: `127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`, asked };
}

function client(host: string, secrets: readonly string[] = ['p']): ReturnType<typeof clientFor> {
  let reads = 0;
  const readSecret = (): Promise<string> => {
    const password = secrets[Math.min(reads, secrets.length - 1)];
    reads += 1;
    return Promise.resolve(JSON.stringify({ username: 'u', password }));
  };
  return clientFor(open(host, SECRET), { readSecret });
}

function found(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': MANIFEST, 'docker-content-digest': DIGEST }).end();
}

const resolve = (host: string, registry = client(host)) => registry.resolve({ host, repository: 'flink' }, 'tag');

/** Wants the token `abc.def`, of a token service that answers with `body`. */
const withTokens =
  (body: unknown, challenge?: (host: string) => string | string[]): Handler =>
  (request, response, host) => {
    if (request.url?.startsWith('/token') === true)
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    else if (request.headers.authorization === 'Bearer abc.def') found(response);
    else {
      const bearer = `Bearer realm="http://${host}/token",service="s",scope="repository:flink:pull"`;
      response.writeHead(401, { 'www-authenticate': challenge?.(host) ?? bearer }).end('{}');
    }
  };

describe('a registry that does not answer HEAD', () => {
  const text = '{"schemaVersion":2,"layers":[]}';

  it.each([404, 405, 400, 501])('(%i) shows the manifest', async (status) => {
    const { host, asked } = await serve((request, response) => {
      if (request.method === 'HEAD') response.writeHead(status).end();
      else response.writeHead(200, { 'content-type': `${MANIFEST}; charset=utf-8` }).end(text);
    });
    expect(await resolve(host)).toMatchObject({ digest: `sha256:${sha(text)}`, mediaType: MANIFEST });
    expect(asked).toEqual(['HEAD /v2/flink/manifests/tag', 'GET /v2/flink/manifests/tag']);
  });

  it('says in its answer to GET why it refuses', async () => {
    const { host } = await serve((_request, response) => response.writeHead(403).end('{"errors":[{"code":"DENIED"}]}'));
    await expect(resolve(host)).rejects.toThrow(/answered 403, DENIED/);
  });
});

describe('the answer of a token service', () => {
  it.each([
    { token: 'abc.def' },
    { access_token: 'abc.def' },
    { token: 'abc.def', access_token: '', expires_in: 1800, issued_at: '2026-01-01T00:00:00Z' },
    { token: '', access_token: 'abc.def' },
    { token: null, access_token: 'abc.def', refresh_token: null },
    { token: 'abc.def', access_token: null, expires_in: null },
    { token: 'abc.def', expires_in: 0 },
    { token: 'abc.def', expires_in: -1, issued_at: '' },
    { token: 'abc.def', expires_in: '300' },
    { token: 'abc.def', expires_in: 'soon', scope: 7 },
  ])('%j holds a token', async (body) => {
    const { host, asked } = await serve(withTokens(body));
    const registry = client(host);
    expect(await resolve(host, registry)).toMatchObject({ digest: DIGEST });
    expect(await resolve(host, registry)).toMatchObject({ digest: DIGEST });
    // a time below a minute is not taken at its word, as Docker does not
    expect(asked.filter((one) => one.includes('/token'))).toHaveLength(1);
  });

  it.each([
    '{}',
    '{"token":"","access_token":""}',
    '{"token":null}',
    '{"token":7}',
    '[]',
    'null',
    '<html>',
    '{"token":"a b"}',
  ])('%s holds none', async (body) => {
    const { host } = await serve(withTokens(body));
    await expect(resolve(host)).rejects.toThrow(/the answer holds no token/);
  });
});

describe('challenges', () => {
  it.each<[string, (host: string) => string | string[]]>([
    ['Basic and Bearer', (host) => ['Basic realm="x"', `Bearer realm="http://${host}/token",service="s"`]],
    ['Negotiate and Bearer', (host) => ['Negotiate', `Bearer realm="http://${host}/token",service="s"`]],
    ['Negotiate with a token', (host) => ['Negotiate YIIJvwYGKw==', `Bearer realm="http://${host}/token"`]],
    ['Bearer, then Basic', (host) => [`Bearer realm="http://${host}/token",service="s"`, 'Basic realm="x, y"']],
    [
      'one line',
      (host) => `Digest realm="a",nonce="b", Bearer realm="http://${host}/token", service="s", Basic realm="c"`,
    ],
    ['no quotes', (host) => `Bearer realm=http://${host}/token,service=x`],
    ['other letters', (host) => `bEaReR Realm="http://${host}/token", Service="x"`],
    ['a comma in its scope', (host) => `Bearer scope="repository:flink:pull,push",realm="http://${host}/token"`],
  ])('%s', async (_name, challenge) => {
    const { host } = await serve(withTokens({ token: 'abc.def' }, challenge));
    expect(await resolve(host)).toMatchObject({ digest: DIGEST });
  });

  it('of a token service that may not be asked leave the password', async () => {
    const { host } = await serve((request, response) => {
      if (request.headers.authorization?.startsWith('Basic ') === true) return found(response);
      const wanted = ['Bearer realm="https://elsewhere.example/token"', 'Basic realm="x"'];
      response.writeHead(401, { 'www-authenticate': wanted }).end();
    });
    expect(await resolve(host)).toMatchObject({ digest: DIGEST });
  });

  it.each(['', ',,,', 'Bearer', '=', '"', 'Basic', 'a="', 'Bearer realm="x', '🙂'])('%j has an end', (header) => {
    expect(parseChallenges(header).length).toBeLessThanOrEqual(1);
  });
});

describe('a password that is over', () => {
  it('is renewed after a 403 without a challenge, once', async () => {
    const { host, asked } = await serve((request, response) => {
      const { authorization } = request.headers;
      if (authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else if (authorization === `Basic ${Buffer.from('u:new').toString('base64')}`) found(response);
      else
        response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"Your authorization token has expired."}]}');
    });
    expect(await resolve(host, client(host, ['old', 'new']))).toMatchObject({ digest: DIGEST });
    expect(asked).toHaveLength(3);
    await expect(resolve(host, client(host, ['old', 'older']))).rejects.toThrow(/answered 403/);
  });

  it.each([401, 403])('is renewed after a %i of the token service', async (status) => {
    const { host } = await serve((request, response, own) => {
      const good = `Basic ${Buffer.from('u:new').toString('base64')}`;
      const isToken = request.url?.startsWith('/token') === true;
      if (isToken && request.headers.authorization !== good) response.writeHead(status).end();
      else withTokens({ token: 'abc.def' })(request, response, own);
    });
    expect(await resolve(host, client(host, ['old', 'new']))).toMatchObject({ digest: DIGEST });
    await expect(resolve(host, client(host, ['old']))).rejects.toThrow(String(status));
  });
});

describe('the place of an upload', () => {
  const bytes = Buffer.from('new');
  const upload = { digest: `sha256:${sha(bytes)}`, size: bytes.length, open: () => inPieces(bytes) };
  const put = (host: string) => clientFor(open(host)).putBlob({ host, repository: 'jobs' }, upload);
  const taking =
    (begin: Handler): Handler =>
    (request, response, host) => {
      if (request.method === 'HEAD') response.writeHead(404).end();
      else if (request.method === 'POST') begin(request, response, host);
      else response.writeHead(201).end();
    };

  it.each([
    ['/v2/jobs/blobs/uploads/u1?_state=a%2Bb%3D%3D', '/v2/jobs/blobs/uploads/u1?_state=a%2Bb%3D%3D&digest='],
    ['u1?x=1', '/v2/jobs/blobs/uploads/u1?x=1&digest='],
    ['../uploads/u1', '/v2/jobs/blobs/uploads/u1?digest='],
  ])('%s', async (location, expected) => {
    const { host, asked } = await serve(taking((_request, response) => response.writeHead(202, { location }).end()));
    expect(await put(host)).toMatchObject({ how: 'uploaded' });
    expect(asked.at(-1)).toContain(`PUT ${expected}`);
  });

  it.each([307, 308])('is behind a redirect %i, and relative to where that led', async (status) => {
    const { host, asked } = await serve(
      taking((request, response, own) => {
        const real = request.url?.startsWith('/real/') === true;
        const location = real ? 'u2' : `http://${own}/real/jobs/blobs/uploads/`;
        response.writeHead(real ? 202 : status, { location }).end();
      }),
    );
    expect(await put(host)).toMatchObject({ how: 'uploaded' });
    expect(asked.at(-1)).toContain('PUT /real/jobs/blobs/uploads/u2?digest=');
  });

  it('may be another host, which sees no credentials', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(201).end();
    });
    const { host } = await serve((request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else if (request.method === 'HEAD') response.writeHead(404).end();
      else if (request.method === 'POST') response.writeHead(202, { location: '/v2/jobs/blobs/uploads/u' }).end();
      else response.writeHead(307, { location: `http://${other.host}/store` }).end();
    });
    expect(await client(host).putBlob({ host, repository: 'jobs' }, upload)).toMatchObject({ how: 'uploaded' });
    expect(seen).toEqual([undefined]);
  });

  it.each([301, 302, 303])('is not sought after a %i, which would make a read of it', async (status) => {
    const { host } = await serve(taking((_request, response) => response.writeHead(status, { location: '/x' }).end()));
    await expect(put(host)).rejects.toThrow(`answered ${status}`);
  });

  it.each([401, 403])('is asked for alone where rights to two repositories are refused (%i)', async (status) => {
    const { host, asked } = await serve(
      taking((request, response) => {
        const mounts = request.url?.includes('mount=') === true;
        response.writeHead(mounts ? status : 202, mounts ? {} : { location: '/v2/jobs/blobs/uploads/u' }).end();
      }),
    );
    const to = { host, repository: 'jobs' };
    const stored = await clientFor(open(host)).putBlob(to, { ...upload, mountFrom: 'base' });
    expect(stored).toMatchObject({ how: 'uploaded' });
    expect(asked.filter((one) => one.startsWith('POST'))).toEqual([
      expect.stringContaining('mount=sha256'),
      'POST /v2/jobs/blobs/uploads/',
    ]);
  });

  it('is given up in a circle of redirects', async () => {
    const { host } = await serve(taking((_request, response) => response.writeHead(307, { location: '/x' }).end()));
    await expect(put(host)).rejects.toThrow(/too many redirects/);
  });
});
