import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseChallenges } from '../../lib/registry/challenge.ts';
import { parseSecret } from '../../lib/registry/credentials.ts';
import { ecrRegion } from '../../lib/registry/ecr.ts';
import { FakeRegistry, refuse } from '../fakes/registry-server.ts';
import { clientFor, inPieces, open, sha } from './support/images.ts';

const ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:registry';
const WITH_SECRET = { kind: 'secret', arn: ARN } as const;
const secretOf = (host: string, password = 'p:ss wörd'): string =>
  JSON.stringify({ auths: { [host]: { auth: Buffer.from(`robot:${password}`).toString('base64') } } });

describe('a challenge', () => {
  it.each([
    ['Basic realm="x"', { scheme: 'basic' }],
    [
      'basic realm="https://123456789012.dkr.ecr.us-east-1.amazonaws.com/",service="ecr.amazonaws.com"',
      { scheme: 'basic' },
    ],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"',
      { scheme: 'bearer', realm: 'https://auth.docker.io/token', service: 'registry.docker.io' },
    ],
    ['Bearer realm="https://h/t?a=\\"b\\""', { scheme: 'bearer', realm: 'https://h/t?a="b"' }],
    ['Bearer service="x"', undefined],
    ['Negotiate', undefined],
    [undefined, undefined],
  ])('%s', (header, expected) => expect(parseChallenges(header)[0]).toEqual(expected));
});

describe('credentials of a secret', () => {
  const basic = (username: string, password: string): object => ({ kind: 'basic', username, password });
  it.each([
    ['a Docker configuration', secretOf('registry.example'), basic('robot', 'p:ss wörd')],
    ['one with an address', secretOf('https://registry.example/v2/'), basic('robot', 'p:ss wörd')],
    ['username and password', '{"username":"u","password":"p"}', basic('u', 'p')],
    [
      'username and password of a host',
      '{"auths":{"registry.example":{"username":"u","password":"p"}}}',
      basic('u', 'p'),
    ],
    [
      'an identity token',
      '{"auths":{"registry.example":{"auth":"MDAwOg==","identitytoken":"id"}}}',
      { kind: 'identity', token: 'id' },
    ],
  ])('%s', (_, text, expected) => expect(parseSecret(text, 'registry.example', ARN)).toEqual(expected));

  it('knows Docker Hub by its old address', () => {
    expect(parseSecret(secretOf('https://index.docker.io/v1/'), 'docker.io', ARN)).toMatchObject({ username: 'robot' });
  });

  it.each([
    'not json hunter2',
    '{"auths":{"elsewhere":{"auth":"aHVudGVyMg=="}}}',
    '{"auths":{"registry.example":{}}}',
    '[]',
  ])('is refused without a word of it: %s', (text) => {
    const parse = (): unknown => parseSecret(text, 'registry.example', ARN);
    expect(parse).toThrow(/holds no credentials for registry\.example/);
    expect(parse).not.toThrow(/hunter2|aHVudGVyMg/);
  });
});

describe('hosts of Amazon ECR', () => {
  it.each([
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['123456789012.dkr-ecr.us-east-1.on.aws', 'us-east-1'],
    ['123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example', undefined],
    ['public.ecr.aws', undefined],
  ])('%s', (host, region) => expect(ecrRegion(host)).toBe(region));
});

describe('a registry', () => {
  const fake = new FakeRegistry();
  beforeEach(async () => {
    fake.seen.length = 0;
    fake.fault = undefined;
    fake.auth = { kind: 'none' };
    await fake.start();
    const { manifests, blobs } = fake.repository('flink');
    manifests.set('tag', { mediaType: 'application/vnd.oci.image.manifest.v1+json', text: '{}' });
    blobs.set(`sha256:${sha('blob')}`, Buffer.from('blob'));
  });
  afterEach(() => fake.stop());
  const image = (): { host: string; repository: string } => ({ host: fake.host, repository: 'flink' });
  const withSecret = (text = secretOf(fake.host)): ReturnType<typeof clientFor> =>
    clientFor(open(fake.host, WITH_SECRET), { readSecret: () => Promise.resolve(text) });

  it('is sent a password when it asks for it, and then at once', async () => {
    fake.auth = { kind: 'basic', username: 'robot', password: 'p:ss wörd' };
    const registry = withSecret();
    await registry.resolve(image(), 'tag');
    await registry.resolve(image(), 'tag');
    expect(fake.seen.map(({ authorization }) => authorization !== undefined)).toEqual([false, true, true]);
  });

  it('is sent a token for what is done, made once', async () => {
    fake.auth = { kind: 'bearer', tokens: new Set() };
    const registry = withSecret();
    await registry.resolve(image(), 'tag');
    await registry.resolve(image(), 'tag');
    const bytes = Buffer.from('new');
    const blob = { digest: `sha256:${sha(bytes)}`, size: 3, open: () => inPieces(bytes) };
    await registry.putBlob({ host: fake.host, repository: 'jobs' }, { ...blob, mountFrom: 'flink' });
    const tokens = fake.seen.filter(({ path }) => path === '/token');
    expect(tokens.map(({ query }) => [query.get('service'), query.getAll('scope')])).toEqual([
      ['fake registry', ['repository:flink:pull']],
      ['fake registry', ['repository:jobs:pull,push', 'repository:flink:pull']],
    ]);
    expect(tokens.every(({ authorization }) => authorization?.startsWith('Basic '))).toBe(true);
    expect(fake.calls().filter((call) => call.startsWith('HEAD /v2/flink'))).toHaveLength(3);
  });

  it('gives tokens to those without credentials too', async () => {
    fake.auth = { kind: 'bearer', tokens: new Set() };
    await clientFor(open(fake.host)).resolve(image(), 'tag');
    expect(fake.seen.find(({ path }) => path === '/token')?.authorization).toBeUndefined();
  });

  it('that no longer takes a token is sent a new one', async () => {
    const tokens = new Set<string>();
    fake.auth = { kind: 'bearer', tokens };
    const registry = withSecret();
    await registry.resolve(image(), 'tag');
    tokens.clear();
    expect(await registry.resolve(image(), 'tag')).toBeDefined();
  });

  it('that no longer takes a password is sent the one that the secret has now', async () => {
    fake.auth = { kind: 'basic', username: 'robot', password: 'old' };
    let password = 'old';
    const registry = clientFor(open(fake.host, WITH_SECRET), {
      readSecret: () => Promise.resolve(secretOf(fake.host, password)),
    });
    await registry.resolve(image(), 'tag');
    password = 'new';
    fake.auth = { ...fake.auth, password };
    expect(await registry.resolve(image(), 'tag')).toBeDefined();
  });

  it('of AWS is sent what ecr:GetAuthorizationToken gives', async () => {
    fake.auth = { kind: 'basic', username: 'AWS', password: 'twelve-hours' };
    const asked: unknown[] = [];
    const registry = clientFor(open(fake.host, { kind: 'ecr', region: 'eu-west-1' }), {
      ecr: (host, region) => {
        asked.push([host, region]);
        return Promise.resolve({ kind: 'basic', username: 'AWS', password: 'twelve-hours' });
      },
    });
    expect(await registry.resolve(image(), 'tag')).toBeDefined();
    expect(asked).toEqual([[fake.host, 'eu-west-1']]);
  });

  it.each([
    ['a wrong password', { kind: 'basic', username: 'robot', password: 'right' } as const],
    ['a wrong password at the token service', { kind: 'bearer', tokens: new Set<string>() } as const],
  ])('refuses %s, and nothing tells it', async (_, auth) => {
    fake.auth = auth;
    fake.fault = ({ path }, _request, response) => {
      if (path === '/token') refuse(response, 401, 'UNAUTHORIZED');
      return path === '/token';
    };
    const failure: unknown = await withSecret(secretOf(fake.host, 'hunter2'))
      .resolve(image(), 'tag')
      .catch((e: unknown) => e);
    expect(failure).toMatchObject({ reason: 'RegistryRefused' });
    const told = `${String(failure)} ${JSON.stringify(failure)} ${failure instanceof Error ? String(failure.cause) : ''}`;
    expect(told).not.toMatch(/hunter2|cm9ib3Q6/);
  });

  it('that wants tokens of a place it does not own gets no credentials there', async () => {
    const other = await new FakeRegistry().start();
    try {
      fake.auth = { kind: 'bearer', realm: `http://${other.host}/token`, tokens: new Set() };
      await expect(withSecret().resolve(image(), 'tag')).rejects.toMatchObject({
        reason: 'InvalidConfiguration',
        field: `registries["${fake.host}"].tokenHosts`,
      });
      expect(other.seen).toEqual([]);
      const tokens = new Set<string>();
      other.auth = { kind: 'bearer', tokens };
      fake.auth = { kind: 'bearer', realm: `http://${other.host}/token`, tokens };
      const allowed = { [fake.host]: { auth: WITH_SECRET, tokenHosts: [other.host] } };
      const registry = clientFor(allowed, { readSecret: () => Promise.resolve(secretOf(fake.host)) });
      expect(await registry.resolve(image(), 'tag')).toBeDefined();
      expect(other.calls()).toEqual(['GET /token']);
    } finally {
      await other.stop();
    }
  });
});
