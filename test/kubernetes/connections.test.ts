import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type ConnectDeps } from '../../lib/kubernetes/access/connect.ts';
import type { Connection } from '../../lib/kubernetes/access/connection.ts';
import { inClusterConnection } from '../../lib/kubernetes/access/in-cluster.ts';
import { kubeconfigConnection, kubeconfigFiles } from '../../lib/kubernetes/access/kubeconfig.ts';

// Its first import takes seconds on a busy machine.
beforeAll(() => import('@kubernetes/client-node'), 60_000);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flink-dispatch-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function kubeconfig(name: string, user: string, more = ''): string {
  return `
apiVersion: v1
kind: Config
current-context: ${name}
clusters: [{ name: ${name}, cluster: { server: 'https://${name}.example:6443', certificate-authority-data: '${Buffer.from(`ca of ${name}`).toString('base64')}' ${more} } }]
users: [{ name: ${name}, user: ${user} }]
contexts: [{ name: ${name}, context: { cluster: ${name}, user: ${name}, namespace: ns-${name} } }]
`;
}

describe('a kubeconfig', () => {
  it('is read as kubectl reads several: the first file wins, a context chooses', async () => {
    const one = file('one', kubeconfig('one', '{ token: t1 }'));
    const two = file('two', kubeconfig('two', '{ token: t2 }'));
    const again = file('again', kubeconfig('one', '{ token: other }'));
    const files = kubeconfigFiles({ KUBECONFIG: [one, two, again].join(':'), HOME: '/none' });
    const first = await kubeconfigConnection({ files });
    expect(first).toMatchObject({ server: 'https://one.example:6443', context: 'one', namespace: 'ns-one' });
    expect(await first.credentials(false)).toEqual({
      headers: { authorization: 'Bearer t1' },
      tls: { ca: 'ca of one' },
    });
    const second = await kubeconfigConnection({ files, context: 'two' });
    expect((await second.credentials(false)).headers).toEqual({ authorization: 'Bearer t2' });
  });

  it('is ~/.kube/config when nothing says otherwise', () => {
    expect(kubeconfigFiles({ HOME: '/home/x' })).toEqual(['/home/x/.kube/config']);
  });

  it('brings client certificates, passwords and plain HTTP', async () => {
    const data = (text: string) => Buffer.from(text).toString('base64');
    const certificate = `{ client-certificate-data: ${data('cert')}, client-key-data: ${data('key')} }`;
    const certified = await kubeconfigConnection({
      text: kubeconfig('a', certificate, ", tls-server-name: 'kubernetes'"),
    });
    expect((await certified.credentials(false)).tls).toEqual({
      ca: 'ca of a',
      cert: 'cert',
      key: 'key',
      servername: 'kubernetes',
    });
    const plain = await kubeconfigConnection({
      text: kubeconfig('b', '{ username: u, password: p }').replace('https://', 'http://'),
    });
    expect((await plain.credentials(false)).headers['authorization']).toBe('Basic dTpw');
  });

  it('runs an exec plugin once, and again when its token was refused', async () => {
    const log = join(folder, 'log');
    const plugin = file(
      'plugin',
      `#!/bin/sh\necho run >>${log}\necho '{"kind":"ExecCredential","status":{"token":"from-plugin"}}'\n`,
    );
    chmodSync(plugin, 0o755);
    const exec = `{ exec: { apiVersion: client.authentication.k8s.io/v1, command: '${plugin}', interactiveMode: Never } }`;
    const connection = await kubeconfigConnection({ text: kubeconfig('a', exec) });
    for (let i = 0; i < 3; i++) {
      expect((await connection.credentials(false)).headers).toEqual({ authorization: 'Bearer from-plugin' });
    }
    expect(readFileSync(log, 'utf8')).toBe('run\n');
    await connection.credentials(true);
    expect(readFileSync(log, 'utf8')).toBe('run\nrun\n');
  });

  it('says what is wrong with it', async () => {
    const missing = kubeconfigConnection({ files: [join(folder, 'none')] });
    await expect(missing).rejects.toMatchObject({
      reason: 'InvalidConfiguration',
      message: expect.stringContaining(join(folder, 'none')) as string,
    });
    const context = kubeconfigConnection({ text: kubeconfig('a', '{}'), context: 'b' });
    await expect(context).rejects.toMatchObject({ message: expect.stringContaining("'b'") as string });
    const exec = "{ exec: { apiVersion: client.authentication.k8s.io/v1, command: '/no/such/plugin' } }";
    const broken = await kubeconfigConnection({ text: kubeconfig('a', exec) });
    await expect(broken.credentials(false)).rejects.toMatchObject({ reason: 'ClusterUnavailable' });
  });
});

describe("a pod's service account", () => {
  it('is read again when the kubelet has renewed it, or the server refused it', async () => {
    const token = file('token', 't1\n');
    file('ca.crt', 'ca');
    let now = 0;
    const connection = inClusterConnection({ host: 'fd00::1', port: '443', folder, now: () => now });
    expect(connection.server).toBe('https://[fd00::1]:443');
    const first = { headers: { authorization: 'Bearer t1' }, tls: { ca: 'ca' } };
    expect(await connection.credentials(false)).toEqual(first);
    writeFileSync(token, 't2');
    expect(await connection.credentials(false)).toEqual(first);
    now = 60_000;
    expect((await connection.credentials(false)).headers).toEqual({ authorization: 'Bearer t2' });
    writeFileSync(token, 't3');
    expect((await connection.credentials(true)).headers).toEqual({ authorization: 'Bearer t3' });
  });
});

describe('a kubeconfig that is replaced while a function is warm', () => {
  const SECRET = { kind: 'secret', arn: 'arn:aws:secretsmanager:eu-west-1:1:secret:k' } as const;
  let now: number;
  let stored: string | Error;
  let reads: number;
  const open = () => {
    [now, stored, reads] = [0, kubeconfig('one', '{ token: t1 }'), 0];
    const readSecret = () => {
      reads += 1;
      return stored instanceof Error ? Promise.reject(stored) : Promise.resolve(stored);
    };
    return connect(SECRET, {
      env: {},
      now: () => now,
      awsCredentials: () => Promise.reject(new Error('no')),
      readSecret,
    });
  };
  const tokenOf = async (connection: Connection, renew = false) =>
    (await connection.credentials(renew)).headers['authorization'];

  it('is read again by age, server and all', async () => {
    const connection = await open();
    stored = kubeconfig('two', '{ token: t2 }');
    expect(await tokenOf(connection)).toBe('Bearer t1');
    now = 5 * 60_000;
    expect(await tokenOf(connection)).toBe('Bearer t2');
    expect(connection.server).toBe('https://two.example:6443');
  });

  it('is read again when the server refused it, once for all that were refused', async () => {
    const connection = await open();
    stored = kubeconfig('one', '{ token: t2 }');
    now = 10_000;
    expect(await Promise.all([tokenOf(connection, true), tokenOf(connection, true)])).toEqual([
      'Bearer t2',
      'Bearer t2',
    ]);
    now = 10_500;
    expect(await tokenOf(connection, true)).toBe('Bearer t2');
    expect(reads).toBe(2);
  });

  it('keeps the token of its plugin while it says the same', async () => {
    const connection = await open();
    const count = join(folder, 'runs');
    const answer = JSON.stringify({ status: { token: 'p1' } });
    const script = file('plugin', `#!/bin/sh\necho run >> ${count}\necho '${answer}'\n`);
    chmodSync(script, 0o755);
    stored = kubeconfig('one', `{ exec: { apiVersion: client.authentication.k8s.io/v1, command: '${script}' } }`);
    for (now of [5, 10, 15].map((minutes) => minutes * 60_000)) expect(await tokenOf(connection)).toBe('Bearer p1');
    expect(readFileSync(count, 'utf8')).toBe('run\n');
    expect(reads).toBe(4);
  });

  it('is used on while it cannot be read, and said to be unreadable once it is refused', async () => {
    const connection = await open();
    stored = new Error('access denied');
    now = 5 * 60_000;
    expect(await tokenOf(connection)).toBe('Bearer t1');
    await expect(connection.credentials(true)).rejects.toMatchObject({
      reason: 'ClusterUnavailable',
      message: expect.stringContaining('access denied') as string,
    });
  });
});

describe("a target's access", () => {
  const deps: ConnectDeps = {
    env: {},
    now: () => 0,
    awsCredentials: () => Promise.reject(new Error('no identity')),
    readSecret: (arn) => Promise.resolve(kubeconfig('secret', `{ token: '${arn}' }`)),
  };

  it('may be a kubeconfig in a secret', async () => {
    const connection = await connect({ kind: 'secret', arn: 'arn:x' }, deps);
    expect((await connection.credentials(false)).headers).toEqual({ authorization: 'Bearer arn:x' });
  });

  it('may be a pod, but only in one', async () => {
    await expect(connect({ kind: 'in-cluster' }, deps)).rejects.toMatchObject({ field: 'access.kind' });
    const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };
    expect((await connect({ kind: 'in-cluster' }, { ...deps, env })).server).toBe('https://10.96.0.1:443');
  });

  it('may be EKS, whose identity can be missing', async () => {
    const connection = await connect(
      { kind: 'eks', cluster: 'c', region: 'eu-west-1', endpoint: 'https://x.eks', certificateAuthorityData: 'Y2E=' },
      deps,
    );
    expect(connection.server).toBe('https://x.eks');
    await expect(connection.credentials(false)).rejects.toMatchObject({
      reason: 'ClusterUnavailable',
      message: 'no token for EKS cluster c: no identity',
    });
  });
});
