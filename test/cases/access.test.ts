import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { kubeconfigConnection } from '../../lib/kubernetes/access/kubeconfig.ts';
import { clientFor, inPieces, open, sha } from '../registry/support/images.ts';

const servers: Server[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function hostOf(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('harbor-token', () => {
  const token = { token: 'abc.def', access_token: '', expires_in: 1800, issued_at: '2026-01-01T00:00:00Z' };
  const secret = { kind: 'secret', arn: 'arn:aws:secretsmanager:us-east-1:1:secret:x' } as const;
  const digest = `sha256:${'b'.repeat(64)}`;
  const headers = {
    'content-type': 'application/vnd.oci.image.manifest.v1+json',
    'docker-content-digest': digest,
  };

  /** What a registry answers that wants `authorization`, and shows these challenges. */
  const resolved = async (challenges: (host: string) => readonly string[], passwords: readonly string[] = ['p']) => {
    let reads = 0;
    const host = await hostOf((request, response) => {
      const { authorization = '' } = request.headers;
      if (request.url?.startsWith('/token') === true) response.end(JSON.stringify(token));
      else if (authorization === 'Bearer abc.def' || authorization === basic('new'))
        response.writeHead(200, headers).end();
      else if (authorization === basic('old')) response.writeHead(403).end('{"errors":[{"code":"DENIED"}]}');
      else response.writeHead(401, { 'www-authenticate': [...challenges(request.headers.host ?? '')] }).end();
    });
    const readSecret = (): Promise<string> =>
      Promise.resolve(JSON.stringify({ username: 'u', password: passwords[reads++] ?? '' }));
    return clientFor(open(host, secret), { readSecret }).resolve({ host, repository: 'flink' }, 'tag');
  };
  const basic = (password: string): string => `Basic ${Buffer.from(`u:${password}`).toString('base64')}`;
  const bearer = (host: string): string => `Bearer realm="http://${host}/token",service="harbor-registry"`;

  it.each<[string, (host: string) => readonly string[]]>([
    ['Bearer alone', (host) => [bearer(host)]],
    ['Basic and Bearer', (host) => ['Basic realm="x"', bearer(host)]],
    ['Negotiate and Bearer', (host) => ['Negotiate', bearer(host)]],
  ])('an empty access_token is none: %s', async (_what, challenges) => {
    expect(await resolved(challenges)).toMatchObject({ digest });
  });

  it('a password that is over is renewed after a 403 without a challenge', async () => {
    expect(await resolved(() => ['Basic realm="ECR"'], ['old', 'new'])).toMatchObject({ digest });
  });

  it.each([307, 308])('an upload that is redirected by %i is followed with POST', async (status) => {
    const seen: string[] = [];
    const host = await hostOf((request, response) => {
      seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
      const isFront = !(request.url ?? '').startsWith('/v2/real/');
      request.resume().on('end', () => {
        if (request.method === 'PUT') response.writeHead(201).end();
        else if (request.method !== 'POST') response.writeHead(404).end();
        else if (isFront) response.writeHead(status, { location: '/v2/real/jobs/blobs/uploads/' }).end();
        else response.writeHead(202, { location: '/v2/real/jobs/blobs/uploads/u2' }).end();
      });
    });
    const blob = { digest: `sha256:${sha('new')}`, size: 3, open: () => inPieces(Buffer.from('new')) };
    expect(await clientFor(open(host)).putBlob({ host, repository: 'jobs' }, blob)).toMatchObject({ how: 'uploaded' });
    expect(seen.at(-1)).toContain('PUT /v2/real/jobs/blobs/uploads/u2?digest=');
  });
});

describe('kubeconfig-shapes', () => {
  const server = 'https://k8s.example:6443';
  const text = (user: object, clusters: readonly object[] = []): string =>
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server } }, ...clusters],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    });
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'flink-dispatch-'));
    folders.push(made);
    return made;
  };
  const headersOf = async (source: Parameters<typeof kubeconfigConnection>[0]) =>
    (await (await kubeconfigConnection({ env: { PATH: process.env['PATH'] }, ...source })).credentials(false)).headers;

  it('1: the token of user.tokenFile is sent', async () => {
    const tokenFile = join(folder(), 'token');
    writeFileSync(tokenFile, 'abc\n');
    expect(await headersOf({ text: text({ tokenFile }) })).toEqual({ authorization: 'Bearer abc' });
  });

  it('2: as, as-groups, as-uid and as-user-extra are all sent', async () => {
    const user = { token: 't', as: 'a', 'as-groups': ['g1'], 'as-uid': '7', 'as-user-extra': { team: ['x'] } };
    const sent = JSON.stringify(await headersOf({ text: text(user) })).toLowerCase();
    for (const name of ['impersonate-user', 'impersonate-group', 'impersonate-uid', 'impersonate-extra-team'])
      expect(sent).toContain(name);
  });

  it('3: a plugin is told of the cluster where it asks', async () => {
    const script = `printf '{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$(echo "$KUBERNETES_EXEC_INFO" | grep -o '${server}')"`;
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] };
    const user = { exec: { ...exec, interactiveMode: 'Never', provideClusterInfo: true } };
    expect(await headersOf({ text: text(user) })).toEqual({ authorization: `Bearer ${server}` });
  });

  it('4: an empty file of KUBECONFIG is empty', async () => {
    const [empty, full] = [join(folder(), 'empty'), join(folder(), 'full')];
    writeFileSync(empty, '');
    writeFileSync(full, text({ token: 't' }));
    expect(await headersOf({ files: [empty, full] })).toEqual({ authorization: 'Bearer t' });
  });

  it('5: another cluster without a server does not matter', async () => {
    const broken = { name: 'broken', cluster: {} };
    expect(await headersOf({ text: text({ token: 't' }, [broken]) })).toEqual({ authorization: 'Bearer t' });
  });
});
