import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kubeconfigConnection } from '../../lib/kubernetes/access/kubeconfig.ts';
import { proxyFor } from '../../lib/kubernetes/access/kubeconfig/proxy.ts';
import { createKubernetesApi } from '../../lib/kubernetes/api/https-api.ts';
import { json, scriptedServer } from './api-server.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flink-dispatch-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const SERVER = { server: 'https://k8s.example:6443' };
type Fields = Readonly<Record<string, unknown>>;

function config(cluster: Fields, user: Fields | null, more: Fields = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
    ...more,
  });
}

/** The request that a kubeconfig leads to. */
async function sent(source: Parameters<typeof kubeconfigConnection>[0]) {
  const connection = await kubeconfigConnection({ env: {}, ...source });
  const { headers, tls } = await connection.credentials(false);
  return { server: connection.server, headers, tls };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('who a kubeconfig says we are', () => {
  it('is the token of a file, read from the folder of the kubeconfig, without its line end', async () => {
    file('token', 'abc\n');
    const path = file('config', config(SERVER, { tokenFile: 'token' }));
    expect((await sent({ files: [path] })).headers).toEqual({ authorization: 'Bearer abc' });
  });

  it('is the token of the file before an inline one, which stands in for a file that is not there', async () => {
    const tokenFile = file('token', 'of the file');
    const both = config(SERVER, { token: 'inline', tokenFile });
    expect((await sent({ text: both })).headers).toEqual({ authorization: 'Bearer of the file' });
    const without = config(SERVER, { token: 'inline', tokenFile: join(folder, 'none') });
    expect((await sent({ text: without })).headers).toEqual({ authorization: 'Bearer inline' });
  });

  it('has a name in the error of a file that is not there', async () => {
    const connection = await kubeconfigConnection({ text: config(SERVER, { tokenFile: join(folder, 'none') }) });
    await expect(connection.credentials(false)).rejects.toMatchObject({
      reason: 'ClusterUnavailable',
      message: expect.stringContaining(`tokenFile cannot be read: ENOENT`) as string,
    });
  });

  it('is whom we act as, with uid, groups and extra fields', async () => {
    const server = await scriptedServer((_seen, response) => json(response, 200, {}));
    const user = {
      token: 'abc',
      as: 'system:serviceaccount:flink:deployer',
      'as-uid': '42',
      'as-groups': ['g1', 'g2'],
      'as-user-extra': { 'acme.com/Project': ['one', 'two'] },
    };
    const api = createKubernetesApi(
      await kubeconfigConnection({ text: config({ server: server.url }, user), env: {} }),
    );
    await api.request({ method: 'GET', path: '/api' });
    await server.close();
    expect(server.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer abc',
      'impersonate-user': 'system:serviceaccount:flink:deployer',
      'impersonate-uid': '42',
      'impersonate-group': 'g1, g2',
      'impersonate-extra-acme.com%2fproject': 'one, two',
    });
  });

  it.each([
    ['a context without a user', config(SERVER, null, { contexts: [{ name: 'x', context: { cluster: 'c' } }] })],
    ['a user without anything', config(SERVER, {})],
    ['a user that is null', config(SERVER, null)],
    ['no users', config(SERVER, {}, { users: null })],
  ])('is nobody with %s', async (_case, text) => {
    expect(await sent({ text })).toEqual({ server: 'https://k8s.example:6443', headers: {}, tls: {} });
  });

  it('is the user of the URL, who is never shown', async () => {
    const text = config({ server: 'https://admin:p%40ss@k8s.example:6443' }, {});
    const { server, headers } = await sent({ text });
    expect(server).toBe('https://k8s.example:6443');
    expect(headers).toEqual({ authorization: `Basic ${base64('admin:p@ss')}` });
  });
});

describe('a credential plugin', () => {
  const PLUGIN = `#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >>"$SEEN"
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}'
`;
  const entry = (more: Fields = {}): Fields => ({
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './plugin',
      interactiveMode: 'IfAvailable',
      ...more,
    },
  });

  it('is told of the cluster when it asks, and runs in the folder of its kubeconfig', async () => {
    file('plugin', PLUGIN, 0o700);
    const seen = join(folder, 'seen');
    const cluster = {
      ...SERVER,
      'certificate-authority-data': base64('ca'),
      'tls-server-name': 'kubernetes',
      extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }],
    };
    const user = entry({ args: null, env: [{ name: 'SEEN', value: seen }], provideClusterInfo: true });
    const env = { PATH: process.env['PATH'] };
    expect((await sent({ files: [file('config', config(cluster, user))], env })).headers).toEqual({
      authorization: 'Bearer t',
    });
    expect(JSON.parse(readFileSync(seen, 'utf8'))).toEqual({
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
      spec: {
        interactive: false,
        cluster: {
          server: 'https://k8s.example:6443',
          'tls-server-name': 'kubernetes',
          'certificate-authority-data': base64('ca'),
          config: { audience: 'a' },
        },
      },
    });
  });

  it('is told of itself when it does not ask', async () => {
    file('plugin', PLUGIN, 0o700);
    const seen = join(folder, 'seen');
    const path = file('config', config(SERVER, entry({ env: [{ name: 'SEEN', value: seen }] })));
    await sent({ files: [path], env: { PATH: process.env['PATH'] } });
    expect(JSON.parse(readFileSync(seen, 'utf8'))).toMatchObject({ spec: { interactive: false } });
    expect(readFileSync(seen, 'utf8')).not.toContain('cluster');
  });

  it('does not run where the user has a token', async () => {
    const user = { token: 'inline', ...entry({ command: './none' }) };
    expect((await sent({ text: config(SERVER, user) })).headers).toEqual({ authorization: 'Bearer inline' });
  });

  it.each([
    [{ command: 'no-such-plugin', installHint: 'Install it with brew.' }, 'Install it with brew.'],
    [{ apiVersion: 'client.authentication.k8s.io/v1alpha1' }, 'aws eks update-kubeconfig'],
    [{ command: 'false' }, 'exit code 1: it said nothing'],
    [{ command: 'echo', args: ['{"status":{}}'] }, 'neither a token nor a certificate'],
    [{ command: 'echo', args: ['{"status":{"clientKeyData":"k"}}'] }, 'not both'],
    [{ command: 'echo', args: ['Please log in'] }, 'no ExecCredential: it is no JSON'],
    [
      { command: 'echo', args: ['{"apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"t"}}'] },
      'answered with client.authentication.k8s.io/v1beta1',
    ],
    [{ command: 'echo', interactiveMode: 'Always' }, 'there is none'],
  ])('says what is wrong: %j', async (more, words) => {
    const connection = await kubeconfigConnection({ text: config(SERVER, entry(more)) });
    await expect(connection.credentials(false)).rejects.toMatchObject({
      reason: 'ClusterUnavailable',
      message: expect.stringContaining(words) as string,
    });
  });
});

describe('the files of KUBECONFIG', () => {
  it('may be empty or missing, as long as one is there', async () => {
    const files = [
      join(folder, 'none'),
      file('empty', ''),
      file('comment', '# nothing\n'),
      file('config', config(SERVER, { token: 'a' })),
    ];
    expect((await sent({ files })).headers).toEqual({ authorization: 'Bearer a' });
  });

  it('are searched for a current context that is not empty', async () => {
    const first = file('first', config(SERVER, { token: 'first' }, { 'current-context': '' }));
    const second = file('second', config({ server: 'https://other' }, { token: 'second' }));
    expect(await sent({ files: [first, second] })).toMatchObject({
      server: 'https://k8s.example:6443',
      headers: { authorization: 'Bearer first' },
    });
  });

  it('name their own files relative to themselves', async () => {
    file('ca.crt', 'of the file');
    const path = file('config', config({ ...SERVER, 'certificate-authority': 'ca.crt' }, {}));
    expect((await sent({ files: [path] })).tls).toEqual({ ca: 'of the file' });
  });

  it('say what they have where a context is not there', async () => {
    const text = config(SERVER, {});
    await expect(kubeconfigConnection({ text, context: 'y' })).rejects.toThrow("no context 'y': it has 'x'");
    await expect(kubeconfigConnection({ text: '' })).rejects.toThrow('sets no current-context: it has none');
  });
});

describe('entries that are not of the current context', () => {
  it.each([
    [
      'a cluster without a server',
      {
        clusters: [
          { name: 'c', cluster: SERVER },
          { name: 'broken', cluster: {} },
        ],
      },
    ],
    ['a cluster without fields', { clusters: [{ name: 'c', cluster: SERVER }, { name: 'broken' }] }],
    ['a user without fields', { users: [{ name: 'u', user: { token: 'a' } }, { name: 'z' }] }],
    [
      'a user with an old plugin',
      {
        users: [
          { name: 'u', user: { token: 'a' } },
          { name: 'z', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1' } } },
        ],
      },
    ],
    [
      'extensions that are null, as login tools write them',
      { clusters: [{ name: 'c', cluster: { ...SERVER, extensions: [{ extension: null, name: 'a' }] } }] },
    ],
    [
      'fields that nobody knows',
      { preferences: {}, extensions: null, clusters: [{ name: 'c', cluster: { ...SERVER, 'x-unknown': 1 } }] },
    ],
  ])('may be incomplete: %s', async (_case, more) => {
    const { headers } = await sent({ text: config(SERVER, { token: 'a' }, more) });
    expect(headers).toEqual({ authorization: 'Bearer a' });
  });
});

describe('the text of a kubeconfig', () => {
  it('may have anchors, merge keys, the words of YAML 1.1 and several documents', async () => {
    const text = `
clusters:
- name: other
  cluster: &server
    server: https://h:1
    insecure-skip-tls-verify: yes
- name: c
  cluster:
    <<: *server
contexts: [{ name: x, context: { cluster: c, user: u } }]
users: [{ name: u, user: { token: first, token: last } }]
current-context: x
---
current-context: y
`;
    expect(await sent({ text })).toEqual({
      server: 'https://h:1',
      headers: { authorization: 'Bearer last' },
      tls: { insecure: true },
    });
  });

  it.each([
    [config(SERVER, { token: 12_345_678 }), 'users[0].user.token must be string'],
    [config({ ...SERVER, 'certificate-authority-data': 'no base64!' }, {}), 'must be base64'],
    [
      config({ ...SERVER, 'certificate-authority-data': base64('ca'), 'insecure-skip-tls-verify': true }, {}),
      'contradict each other',
    ],
    [config({ server: 'ftp://x' }, {}), 'must be a URL of http or https'],
    [config({ ...SERVER, 'proxy-url': 'ftp://user:secret@x' }, {}), 'must be a URL of http, https or socks5'],
    [config(SERVER, { token: 'a', username: 'b' }), 'a token and a password'],
    [config(SERVER, { token: 'a', 'as-groups': ['g'] }), 'no as: name the user'],
    [config(SERVER, { 'auth-provider': { name: 'openstack' } }), "'openstack' is not known"],
    [config(SERVER, {}, { users: [{ name: 'u' }, { name: 'u' }] }), "two entries named 'u'"],
    ['clusters: [', 'cannot be read'],
  ])('is refused with the field: %s', async (text, words) => {
    const refused = kubeconfigConnection({ text });
    await expect(refused).rejects.toMatchObject({ reason: 'InvalidConfiguration' });
    await expect(refused).rejects.toThrow(words);
    await expect(refused).rejects.not.toThrow('secret');
  });

  it.each([
    [{ server: 'k8s.example:6443' }, 'http://k8s.example:6443'],
    [{ server: 'k8s.example:6443', 'insecure-skip-tls-verify': true }, 'https://k8s.example:6443'],
    [{ server: 'https://[fd00::1]:6443' }, 'https://[fd00::1]:6443'],
    [{ server: 'https://rancher.example/k8s/clusters/c-abc/' }, 'https://rancher.example/k8s/clusters/c-abc/'],
    [{ server: 'https://k8s.example?x=1#y' }, 'https://k8s.example'],
  ])('has the server %j', async (cluster, server) => {
    expect((await sent({ text: config(cluster, {}) })).server).toBe(server);
  });
});

describe('a proxy on the way', () => {
  const proxies = { HTTPS_PROXY: 'proxy:3128', HTTP_PROXY: 'http://plain:3128' };

  it.each([
    ['https://k8s.example', {}, 'http://proxy:3128'],
    ['http://k8s.example', {}, 'http://plain:3128'],
    ['https://127.0.0.1:6443', {}, undefined],
    ['https://localhost:6443', {}, undefined],
    ['https://[::1]:6443', {}, undefined],
    ['https://k8s.example', { NO_PROXY: 'other, example' }, undefined],
    ['https://example', { NO_PROXY: '.example' }, 'http://proxy:3128'],
    ['https://notexample', { NO_PROXY: 'example' }, 'http://proxy:3128'],
    ['https://10.1.2.3', { NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3', { NO_PROXY: '10.0.0.0/8' }, 'http://proxy:3128'],
    ['https://[fd00::1]', { no_proxy: 'fd00::/8' }, undefined],
    ['https://k8s.example:6443', { NO_PROXY: 'k8s.example:443' }, 'http://proxy:3128'],
    ['https://k8s.example', { NO_PROXY: 'k8s.example:443' }, undefined],
    ['https://k8s.example', { NO_PROXY: '*' }, undefined],
  ])('to %s with %j is %s', (server, more, proxy) => {
    expect(proxyFor(new URL(server), undefined, { ...proxies, ...more })).toBe(proxy);
  });

  it('of the kubeconfig counts before those of the environment, and is gone through', async () => {
    const server = await scriptedServer((_seen, response) => json(response, 200, { ok: true }));
    const through: string[] = [];
    const proxy = await forwarding(through);
    const text = config({ server: server.url, 'proxy-url': proxy.url }, { token: 'a' });
    const api = createKubernetesApi(await kubeconfigConnection({ text, env: { HTTP_PROXY: 'http://127.0.0.1:1' } }));
    expect(await api.request({ method: 'GET', path: '/version' })).toMatchObject({ body: { ok: true } });
    expect(through).toEqual([new URL(server.url).host]);
    proxy.close();
    await server.close();
  });
});

/** A proxy that knows CONNECT alone. */
async function forwarding(through: string[]): Promise<{ url: string; close: () => void }> {
  const open = new Set<Socket>();
  const server: Server = createServer((client) => {
    open.add(client);
    client.once('data', (head) => {
      const [, host = ''] = /^CONNECT (\S+)/.exec(head.toString()) ?? [];
      through.push(host);
      const target = connect(Number(host.split(':')[1]), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(target).pipe(client);
      });
      target.on('error', () => client.destroy());
    });
    client.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      open.forEach((socket) => socket.destroy());
      server.close();
    },
  };
}
