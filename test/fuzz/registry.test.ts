import { createHash } from 'node:crypto';
import { validateHeaderValue } from 'node:http';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendLayer } from '../../lib/registry/append.ts';
import { createAuthorizer } from '../../lib/registry/authorizer.ts';
import { parseChallenges } from '../../lib/registry/challenge.ts';
import { createRegistry } from '../../lib/registry/client.ts';
import { parseSecret } from '../../lib/registry/credentials.ts';
import { Payload } from '../../lib/core/payload.ts';
import type { Http, HttpRequest, HttpResponse } from '../../lib/http/http.ts';
import { MEDIA } from '../../lib/registry/manifest.ts';
import type { Registry } from '../../lib/registry/port.ts';
import { isLoopback } from '../../lib/registry/settings.ts';
import { baseImage, fileOf, inPieces, type BaseImage } from '../registry/support/images.ts';
import { holds } from './hold.ts';
import { nearJson, nearText } from './mutate.ts';

const HOST = '127.0.0.1:5000';
const ORIGIN = `http://${HOST}`;
const IMAGES = [baseImage(), baseImage({ index: true })];
const CREDENTIALS = { kind: 'basic', username: 'robot', password: 'p' } as const;
const SUMMED = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** A document of an image, by its digest. */
interface Document {
  readonly digest: string;
  readonly text: string;
}

function partsOf({ blobs, manifests }: BaseImage): Document[] {
  return [...manifests, ...[...blobs].map(([digest, bytes]) => ({ digest, text: bytes.toString('utf8') }))];
}

/** All but the layers. */
function documentsOf(image: BaseImage): Document[] {
  return partsOf(image).filter(({ text }) => text.startsWith('{'));
}

/** An image in which one document is another one, and all that name it by digest and size say so. */
interface Hostile {
  readonly top: string;
  readonly texts: ReadonlyMap<string, string>;
}

function replaced(image: BaseImage, old: Document, text: string): Hostile {
  const texts = new Map(partsOf(image).map(({ digest, text }) => [digest, text]));
  let top = image.digest;
  const put = (before: Document, now: string): void => {
    const digest = SUMMED(now);
    texts.delete(before.digest);
    texts.set(digest, now);
    if (top === before.digest) top = digest;
    const size = (of: string): string => `"size":${Buffer.byteLength(of)}`;
    for (const [name, holder] of [...texts]) {
      if (!holder.includes(before.digest) || name === digest) continue;
      const named = holder.replaceAll(`${before.digest}",${size(before.text)}`, `${digest}",${size(now)}`);
      put({ digest: name, text: holder }, named);
    }
  };
  put(old, text);
  return { top, texts };
}

const hostile: fc.Arbitrary<Hostile> = fc
  .constantFrom(...IMAGES)
  .chain((image) =>
    fc
      .constantFrom(...documentsOf(image))
      .chain((old) =>
        fc
          .oneof(nearJson([JSON.parse(old.text) as unknown]), nearText([old.text]))
          .map((text) => replaced(image, old, text)),
      ),
  );

const CHALLENGES = [
  `Bearer realm="${ORIGIN}/token",service="registry",scope="repository:jobs:pull"`,
  'Bearer realm="http://169.254.169.254/latest/meta-data",service="x"',
  'Basic realm="registry"',
];
const LOCATIONS = [
  '/v2/jobs/blobs/uploads/1?_state=a',
  `${ORIGIN}/v2/jobs/blobs/uploads/2`,
  'http://169.254.169.254/latest/meta-data',
  'https://user:password@registry.example/a',
  'file:///etc/passwd',
];
const BODIES: readonly unknown[] = [
  { errors: [{ code: 'DENIED', message: 'requested access to the resource is denied', detail: {} }] },
  { token: 'abc', access_token: 'abc', expires_in: 300, issued_at: '2026-11-21T00:00:00Z' },
];

/** An answer in place of what the registry would say to the nth request. */
const odd = fc.record({
  at: fc.nat({ max: 30 }),
  status: fc.constantFrom(200, 201, 202, 204, 206, 301, 307, 400, 401, 401, 401, 403, 404, 416, 429, 500, 503),
  headers: fc.record(
    {
      'www-authenticate': nearText(CHALLENGES),
      location: nearText(LOCATIONS),
      'content-type': nearText(Object.values(MEDIA)),
      'docker-content-digest': nearText([SUMMED('')]),
      'content-length': nearText(['12']),
      'retry-after': nearText(['1', 'Wed, 21 Oct 2026 07:28:00 GMT']),
    },
    { requiredKeys: [] },
  ),
  body: fc.oneof(nearJson(BODIES), nearText(BODIES.map((body) => JSON.stringify(body)))),
});
type Odd = typeof odd extends fc.Arbitrary<infer T> ? T : never;

interface FakeHttp {
  readonly http: Http;
  readonly asked: HttpRequest[];
}

/** Holds each request to what may leave: loopback alone, credentials to their registry alone, headers that can be sent. */
function registryOf({ texts }: Hostile, odds: readonly Odd[]): FakeHttp {
  const asked: HttpRequest[] = [];
  const http: Http = async (request) => {
    const { url, headers = {}, body } = request;
    const odd = odds.find(({ at }) => at === asked.length);
    asked.push(request);
    expect(isLoopback(url.hostname), url.href).toBe(true);
    for (const [name, value] of Object.entries(headers)) validateHeaderValue(name, String(value));
    if (headers['authorization'] !== undefined) expect(url.origin).toBe(ORIGIN);
    if (body instanceof Payload) for await (const chunk of body.chunks()) expect(chunk).toBeDefined();
    return odd === undefined ? plainAnswer(request, texts) : answerWith(odd.status, odd.headers, odd.body);
  };
  return { http, asked };
}

function plainAnswer({ method, url }: HttpRequest, texts: Hostile['texts']): HttpResponse {
  const { pathname } = url;
  if (pathname === '/token') return answerWith(200, {}, JSON.stringify(BODIES[1]));
  if (method === 'POST' || method === 'PATCH') return answerWith(202, { location: '/v2/jobs/blobs/uploads/1' }, '');
  if (method === 'PUT') return answerWith(201, {}, '');
  const text = texts.get(decodeURIComponent(pathname.split('/').at(-1) ?? ''));
  if (text === undefined || method === 'HEAD') return answerWith(404, {}, '');
  return answerWith(200, pathname.includes('/manifests/') ? { 'content-type': typeOf(text) } : {}, text);
}

function typeOf(text: string): string {
  return text.includes('"manifests":') ? MEDIA.ociIndex : MEDIA.ociManifest;
}

function answerWith(status: number, headers: HttpResponse['headers'], text: string): HttpResponse {
  return { status, headers, body: inPieces(Buffer.from(text), 64 * 1024) };
}

function clientOf(http: Http, credentials: typeof CREDENTIALS | undefined): Registry {
  const clock = { now: () => 0, sleep: () => Promise.resolve() };
  const authorizer = createAuthorizer({ http, credentials: () => Promise.resolve(credentials), now: () => 0 });
  return createRegistry({ hosts: { [HOST]: { auth: { kind: 'none' } } }, http, authorizer, clock });
}

const base = (digest: string): { host: string; repository: string; digest: string } => ({
  host: HOST,
  repository: 'flink',
  digest,
});
const to = { host: HOST, repository: 'jobs' };
const files = [fileOf('usrlib/job.jar', 'a jar')];

describe("a registry's answers of any shape", () => {
  it('lead to an image or to a refusal, and never elsewhere', async () => {
    const script = fc.tuple(hostile, fc.array(odd, { maxLength: 6 }), fc.constantFrom(undefined, CREDENTIALS));
    await holds(script, async ([image, odds, credentials]) => {
      const { http, asked } = registryOf(image, odds);
      try {
        await appendLayer(clientOf(http, credentials), { base: base(image.top), to, tag: 'a', files });
      } finally {
        expect(asked.length).toBeLessThan(500);
      }
    });
  });

  it('that are well lead to an image', async () => {
    for (const image of IMAGES) {
      const [old] = documentsOf(image);
      if (old === undefined) throw new Error('an image without a document');
      const whole = replaced(image, old, `${old.text} `);
      const { http } = registryOf(whole, []);
      const appended = appendLayer(clientOf(http, undefined), { base: base(whole.top), to, tag: 'a', files });
      await expect(appended).resolves.toMatchObject({ home: '/opt/flink' });
    }
  });

  it('tell what a tag stands for', async () => {
    await holds(fc.tuple(hostile, fc.array(odd, { minLength: 1, maxLength: 4 })), async ([image, odds]) => {
      const first = odds.map((one, at) => ({ ...one, at }));
      await clientOf(registryOf(image, first).http, CREDENTIALS).resolve(base(image.top), '2.3.0');
    });
  });

  it('challenge, or do not', async () => {
    await holds(nearText(CHALLENGES), (text) => parseChallenges(text));
  });
});

it('a secret with credentials of any shape is told by its name alone', async () => {
  const auth = Buffer.from('robot:hunter2').toString('base64');
  const secrets = [{ auths: { [HOST]: { auth } } }, { username: 'robot', password: 'hunter2' }];
  await holds(nearJson(secrets), (text) => {
    try {
      parseSecret(text, HOST, 'arn:a');
    } catch (error) {
      expect(String(error)).not.toMatch(new RegExp(`hunter2|${auth}`));
      throw error;
    }
  });
});

describe('an answer without an end', () => {
  const PIECE = 64 * 1024;

  /** Of the body that the nth request is answered with, how many bytes were read. */
  async function readOf(at: number, status: number, work: (registry: Registry) => Promise<unknown>): Promise<number> {
    let read = 0;
    let asked = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        read += PIECE;
        yield await Promise.resolve(Buffer.alloc(PIECE, ' '));
      }
    }
    const challenge = { 'www-authenticate': CHALLENGES[0] ?? '' };
    const http: Http = () => {
      asked += 1;
      if (asked <= at) return Promise.resolve(answerWith(401, challenge, ''));
      return Promise.resolve({ status, headers: {}, body: endless() });
    };
    await expect(work(clientOf(http, undefined))).rejects.toMatchObject({ name: 'DispatchError' });
    return read;
  }

  it.each<[string, number, number, number, (registry: Registry) => Promise<unknown>]>([
    ['a manifest', 0, 200, 3 * 5 * 2 ** 20, (registry) => registry.manifest(base(SUMMED('a')), SUMMED('a'))],
    ['an error', 0, 500, 3 * 2 ** 18, (registry) => registry.manifest(base(SUMMED('a')), SUMMED('a'))],
    ['a token', 1, 200, 3 * 2 ** 21, (registry) => registry.manifest(base(SUMMED('a')), SUMMED('a'))],
    [
      'a blob',
      0,
      200,
      2 * PIECE,
      (registry) => all(registry.blob(base(''), { mediaType: '', digest: SUMMED('a'), size: 9 })),
    ],
  ])('is not read to it: %s', async (_, at, status, most, work) => {
    expect(await readOf(at, status, work)).toBeLessThanOrEqual(most);
  });

  async function all(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) expect(chunk.byteLength).toBeGreaterThan(0);
  }
});

describe('an image beyond reason is refused before it is read', () => {
  const descriptor = {
    mediaType: MEDIA.ociManifest,
    digest: SUMMED('a'),
    size: 2,
    platform: { os: 'linux', architecture: 'a' },
  };
  const many = Array.from({ length: 20_000 }, (_, index) => ({ ...descriptor, digest: SUMMED(String(index)) }));

  it.each([
    ['an index of many images', { schemaVersion: 2, manifests: many }],
    ['an image of many layers', { schemaVersion: 2, config: descriptor, layers: many }],
    ['a large configuration', { schemaVersion: 2, config: { ...descriptor, size: 2 ** 22 }, layers: [] }],
  ])('%s', async (_, document) => {
    const text = JSON.stringify(document);
    const texts = new Map([[SUMMED(text), text]]);
    const { http, asked } = registryOf({ top: SUMMED(text), texts }, []);
    const appended = appendLayer(clientOf(http, undefined), { base: base(SUMMED(text)), to, tag: 'a', files });
    await expect(appended).rejects.toMatchObject({ reason: 'ImageUnsuitable' });
    expect(asked).toHaveLength(1);
  });
});
