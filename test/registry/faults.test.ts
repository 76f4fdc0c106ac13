import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { judgeAddress, mayMakeTokens, endpointOf } from '../../lib/registry/settings.ts';
import { FakeRegistry, refuse } from '../fakes/registry-server.ts';
import { clientFor, inPieces, open, sha } from './support/images.ts';

const fake = new FakeRegistry();
beforeEach(async () => {
  fake.seen.length = 0;
  fake.fault = undefined;
  fake.blobsAt = undefined;
  fake.auth = { kind: 'none' };
  fake.repositories.clear();
  await fake.start();
});
afterEach(() => fake.stop());

const to = (): { host: string; repository: string } => ({ host: fake.host, repository: 'jobs' });
const bytes = Buffer.alloc(500_000, 'jar');
const digest = `sha256:${sha(bytes)}`;
const upload = (known = true): Parameters<ReturnType<typeof clientFor>['putBlob']>[1] => ({
  size: bytes.length,
  open: () => inPieces(bytes, 10_000),
  ...(known ? { digest } : {}),
});

describe('an upload', () => {
  it.each([
    ['whose digest is known', true, 'PUT'],
    ['whose digest is made on the way', false, 'PATCH'],
  ])('%s begins anew when the connection breaks in its middle', async (_, known, method) => {
    let broken = 0;
    fake.fault = (seen, request) => {
      if (seen.method !== method || broken === 2) return false;
      broken += 1;
      request.once('data', () => request.destroy());
      return true;
    };
    expect(await clientFor(open(fake.host)).putBlob(to(), upload(known))).toEqual({ digest, how: 'uploaded' });
    expect(broken).toBe(2);
    expect(fake.repository('jobs').blobs.get(digest)?.equals(bytes)).toBe(true);
  });

  it('that breaks each time is told as passing', async () => {
    fake.fault = (seen, request) => seen.method === 'PATCH' && request.destroy() !== undefined;
    await expect(clientFor(open(fake.host)).putBlob(to(), upload(false))).rejects.toMatchObject({
      reason: 'RegistryUnavailable',
      retryable: true,
    });
    expect(fake.calls().filter((call) => call.startsWith('POST'))).toHaveLength(3);
  });

  it('that the registry has forgotten begins anew', async () => {
    let forgotten = false;
    fake.fault = (seen, _, response) => {
      if (seen.method !== 'PUT' || forgotten) return false;
      forgotten = true;
      refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
      return true;
    };
    expect((await clientFor(open(fake.host)).putBlob(to(), upload())).how).toBe('uploaded');
  });

  it('that is refused in its middle is not sent to its end', async () => {
    fake.fault = (seen, _, response) => {
      if (seen.method === 'PATCH') refuse(response, 413, 'SIZE_INVALID', { connection: 'close' });
      return seen.method === 'PATCH';
    };
    let read = 0;
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (; read < 5_000; read += 1) yield await Promise.resolve(Buffer.alloc(100_000));
    };
    const failure: unknown = await clientFor(open(fake.host))
      .putBlob(to(), { size: 500_000_000, open: endless })
      .catch((error: unknown) => error);
    expect((failure as DispatchError).reason).toMatch(/RegistryRefused|RegistryUnavailable/);
    expect(read).toBeLessThan(5_000);
  });

  it('of what cannot be read fails with what the reader says', async () => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(bytes.subarray(0, 1000));
      throw new DispatchError('JarNotFound', 'it is gone');
    };
    const blob = { size: bytes.length, open: failing };
    await expect(clientFor(open(fake.host)).putBlob(to(), blob)).rejects.toMatchObject({ reason: 'JarNotFound' });
  });

  it('ends with its time', async () => {
    const stop = new AbortController();
    fake.fault = (seen) => {
      if (seen.method === 'POST') stop.abort();
      return seen.method === 'POST';
    };
    const registry = clientFor(open(fake.host), {}, stop.signal);
    await expect(registry.putBlob(to(), upload())).rejects.toMatchObject({ reason: 'RegistryUnavailable' });
    expect(fake.calls().filter((call) => call.startsWith('POST'))).toHaveLength(1);
  });

  it('into a repository that does not exist names it', async () => {
    fake.fault = (seen, _, response) => {
      if (seen.method === 'POST') refuse(response, 404, 'NAME_UNKNOWN');
      return seen.method === 'POST';
    };
    await expect(clientFor(open(fake.host)).putBlob(to(), upload())).rejects.toMatchObject({
      reason: 'InvalidConfiguration',
      field: 'jarDelivery.repository',
    });
  });
});

describe('an answer of', () => {
  const answering =
    (status: number, times: number, headers: Record<string, string> = {}): typeof fake.fault =>
    (seen, _, response) => {
      if ((seen.method !== 'HEAD' && seen.method !== 'GET') || times === 0) return false;
      times -= 1;
      refuse(response, status, 'X', headers);
      return true;
    };
  it.each([
    // An answer to HEAD has no reason: GET has.
    ['403', 403, 'RegistryRefused', 2],
    ['400', 400, 'RegistryRefused', 2],
    ['500', 500, 'RegistryUnavailable', 3],
    ['503', 503, 'RegistryUnavailable', 3],
    ['429', 429, 'RegistryUnavailable', 3],
  ])('%s is told by its reason', async (_, status, reason, requests) => {
    fake.fault = answering(status, 99);
    await expect(clientFor(open(fake.host)).resolve(to(), 'tag')).rejects.toMatchObject({ reason });
    expect(fake.seen).toHaveLength(requests);
  });

  it('429 that passes is waited for', async () => {
    fake.repository('jobs').manifests.set('tag', { mediaType: 'x', text: '{}' });
    fake.fault = answering(429, 2, { 'retry-after': '1' });
    expect(await clientFor(open(fake.host)).resolve(to(), 'tag')).toBeDefined();
  });

  it('429 that wants minutes is left to the run', async () => {
    fake.fault = answering(429, 99, { 'retry-after': '120' });
    await expect(clientFor(open(fake.host)).resolve(to(), 'tag')).rejects.toMatchObject({ retryAfter: 120 });
    expect(fake.seen).toHaveLength(1);
  });

  it('other bytes than the digest says is no content', async () => {
    fake.repository('jobs').blobs.set(digest, Buffer.alloc(bytes.length, 'bad'));
    fake.repository('jobs').manifests.set(digest, { mediaType: 'x', text: '{}' });
    const registry = clientFor(open(fake.host));
    const read = async (): Promise<void> => {
      for await (const _ of registry.blob(to(), { mediaType: 'x', digest, size: bytes.length })) void _;
    };
    await expect(read()).rejects.toMatchObject({ reason: 'RegistryUnavailable' });
    await expect(registry.manifest(to(), digest)).rejects.toMatchObject({ reason: 'RegistryUnavailable' });
  });
});

describe('an address that a registry gives', () => {
  const password = { kind: 'basic', username: 'u', password: 'p' } as const;
  const client = (): ReturnType<typeof clientFor> =>
    clientFor(open(fake.host, { kind: 'secret', arn: 'a' }), {
      readSecret: () => Promise.resolve(JSON.stringify(password)),
    });
  const all = async (): Promise<number> => {
    let size = 0;
    for await (const chunk of client().blob(to(), { mediaType: 'x', digest, size: bytes.length }))
      size += chunk.byteLength;
    return size;
  };

  it('on another host is read without the password', async () => {
    const other = await new FakeRegistry().start();
    try {
      fake.auth = password;
      fake.repository('jobs').blobs.set(digest, bytes);
      other.repository('store').blobs.set(digest, bytes);
      fake.blobsAt = `http://${other.host}/v2/store/blobs/`;
      expect(await all()).toBe(bytes.length);
      expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
      expect(fake.seen.at(-1)?.authorization).toMatch(/^Basic /);
    } finally {
      await other.stop();
    }
  });

  it('for an upload on another host is sent without the password', async () => {
    const other = await new FakeRegistry().start();
    try {
      fake.auth = password;
      fake.fault = (seen, _, response) => {
        if (seen.method !== 'POST' || seen.authorization === undefined) return false;
        response.writeHead(202, { location: `http://${other.host}/v2/x/blobs/uploads/1` }).end();
        return true;
      };
      await expect(client().putBlob(to(), upload())).rejects.toMatchObject({ reason: 'RegistryUnavailable' });
      expect(other.seen.length).toBeGreaterThan(0);
      expect(other.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    } finally {
      await other.stop();
    }
  });

  it('that goes round is left', async () => {
    fake.repository('jobs').blobs.set(digest, bytes);
    fake.blobsAt = '/v2/jobs/blobs/';
    await expect(all()).rejects.toMatchObject({ reason: 'RegistryRefused' });
    expect(fake.seen.length).toBeLessThan(10);
  });

  it('inside the network is not asked', async () => {
    fake.repository('jobs').blobs.set(digest, bytes);
    fake.blobsAt = 'http://169.254.169.254/latest/meta-data/';
    await expect(all()).rejects.toMatchObject({ reason: 'RegistryRefused' });
  });

  const hub = endpointOf(open('docker.io'), 'docker.io', 'image');
  const own = endpointOf(open('registry.example:5000'), 'registry.example:5000', 'image');
  it.each([
    ['https://registry.example:5000/v2/x', 'own'],
    ['https://bucket.s3.amazonaws.com/blob?X-Amz-Signature=1', 'other'],
    ['http://registry.example:5000/v2/x', 'no'],
    ['http://bucket.s3.amazonaws.com/blob', 'no'],
    ['https://169.254.169.254/', 'no'],
    ['https://[fd00:ec2::254]/', 'no'],
    ['https://127.0.0.1/', 'no'],
    ['https://localhost/', 'no'],
    ['https://0x7f000001/', 'no'],
    ['https://user:pass@registry.example:5000/', 'no'],
    ['file:///etc/passwd', 'no'],
  ])('%s: %s', (address, verdict) => expect(judgeAddress(own, new URL(address))).toBe(verdict));

  it.each([
    [hub, 'https://auth.docker.io/token', true],
    [hub, 'https://auth.docker.io.evil.example/token', false],
    [own, 'https://registry.example:5000/token', true],
    [own, 'http://registry.example:5000/token', false],
    [own, 'https://registry.example/token', false],
    [own, 'https://auth.docker.io/token', false],
  ])('$host may have its tokens made at %s: %s', (endpoint, realm, may) => {
    expect(mayMakeTokens(endpoint, new URL(realm))).toBe(may);
  });
});

describe('a registry of which the deployment knows nothing', () => {
  it('is not asked', async () => {
    await expect(clientFor({}).resolve(to(), 'tag')).rejects.toMatchObject({ reason: 'NotAllowed', field: 'image' });
    await expect(clientFor(open('docker.io')).putBlob(to(), upload())).rejects.toMatchObject({
      reason: 'NotAllowed',
      field: 'jarDelivery.repository',
    });
    expect(fake.seen).toEqual([]);
  });

  it('is spoken to with TLS, unless it is on loopback or said to have none', () => {
    const origin = (host: string, insecure = false): string =>
      endpointOf({ [host]: { auth: { kind: 'none' }, insecure } }, host, 'image').origin;
    expect(origin('registry.example')).toBe('https://registry.example');
    expect(origin('docker.io')).toBe('https://registry-1.docker.io');
    expect(origin('registry.lan:5000', true)).toBe('http://registry.lan:5000');
    expect(origin('localhost:5000')).toBe('http://localhost:5000');
    expect(origin('127.0.0.1.evil.example')).toBe('https://127.0.0.1.evil.example');
  });
});
