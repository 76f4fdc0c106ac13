import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flinkHomeOf, choose } from '../../lib/registry/image.ts';
import { checkPath, layerOf } from '../../lib/registry/layer.ts';
import { parseImage } from '../../lib/registry/reference.ts';
import { fileOf, inPieces, sha } from './support/images.ts';

async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a layer', () => {
  const files = [fileOf('usrlib/job.jar', 'jar'), fileOf('lib/connector.jar', 'connector'), fileOf('conf/x.yaml', '')];

  it('is the same bytes in any order, as many as it says', async () => {
    const one = layerOf('/opt/flink', files);
    const other = layerOf('/opt/flink', [...files].reverse());
    const bytes = await all(one.open());
    expect(bytes.length).toBe(one.size);
    expect(sha(await all(other.open()))).toBe(sha(bytes));
    // A change of this is a new image for every jar.
    expect(sha(bytes)).toMatchInlineSnapshot(`"8fe00418d48d2cdb7741535c5a9c6dc6a26dc78dc45970863d03970f9d7363b5"`);
  });

  it('has the size that it says, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 4 }), async (contents) => {
        const made = layerOf(
          '/opt/flink',
          contents.map((bytes, i) => fileOf(`lib/${i}.jar`, Buffer.from(bytes))),
        );
        expect((await all(made.open())).length).toBe(made.size);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['shorter', { size: 4 }],
    ['longer', { size: 2 }],
    ['other', { sha256: sha('jax') }],
  ])('is not made of %s bytes than were pinned', async (_, change) => {
    const file = { ...fileOf('usrlib/job.jar', 'jar'), open: () => inPieces(Buffer.from('jar')), ...change };
    await expect(all(layerOf('/opt/flink', [file]).open())).rejects.toMatchObject({ reason: 'StorageUnavailable' });
  });

  it('has no two files at one path', () => {
    const twice = [fileOf('lib/a.jar', 'a'), fileOf('lib/a.jar', 'b')];
    expect(() => layerOf('/opt/flink', twice)).toThrow(/two files at lib\/a\.jar/);
  });
});

describe('a path', () => {
  it.each(['usrlib/job.jar', 'lib/flink-sql-connector_2.12-3.4.jar', 'plugins/s3/s3.jar', 'usrlib/..jar', 'conf/.env'])(
    '%s is taken',
    (path) => expect(checkPath(path, 'files[0].path')).toBe(path),
  );
  it.each([
    ...['../etc/passwd', 'usrlib/../../x', '/etc/passwd', 'usrlib//x', './x', 'usrlib/.', '', 'usrlib/', 'a\\..\\b'],
    ...['usrlib/.wh.job.jar', '.wh..wh..opq', 'lib/.wh..wh..opq', 'a b', 'a\u0000b', 'a\nb', 'ü.jar', 'x'.repeat(201)],
  ])('%j is refused', (path) => {
    expect(() => checkPath(path, 'files[0].path')).toThrow(
      expect.objectContaining({ reason: 'InvalidSpec', field: 'files[0].path' }),
    );
  });
});

describe('an image name', () => {
  const D = `sha256:${'a'.repeat(64)}`;
  it.each([
    ['flink:2.3.0', { host: 'docker.io', repository: 'library/flink', tag: '2.3.0' }],
    ['apache/flink', { host: 'docker.io', repository: 'apache/flink' }],
    ['index.docker.io/flink', { host: 'docker.io', repository: 'library/flink' }],
    ['localhost/flink:1', { host: 'localhost', repository: 'flink', tag: '1' }],
    ['localhost:5000/a/b', { host: 'localhost:5000', repository: 'a/b' }],
    [`r.example/a@${D}`, { host: 'r.example', repository: 'a', digest: D }],
    [`r.example:1/a__b.c--d:t@${D}`, { host: 'r.example:1', repository: 'a__b.c--d', tag: 't', digest: D }],
  ])('%s', (text, expected) => expect(parseImage(text)).toEqual(expected));
  it.each([
    '',
    'Flink',
    'a:',
    ':a',
    'a@b',
    `a@${D}@${D}`,
    'r.example/../x',
    'http://r.example/a',
    'a/b?c',
    'a#b',
    'r.example/',
  ])('%j is none', (text) =>
    expect(() => parseImage(text)).toThrow(expect.objectContaining({ reason: 'InvalidSpec', field: 'image' })),
  );
  it.each(['user@r.example/a', 'r.example:99999999/a', 'r.example\\@evil/a', 'r.example%2f/a'])(
    '%j cannot lead elsewhere',
    (text) => expect(() => parseImage(text)).toThrow(expect.objectContaining({ reason: 'InvalidSpec' })),
  );
});

describe('a base image', () => {
  const config = (Env?: string[]): Parameters<typeof flinkHomeOf>[0] => ({
    config: Env === undefined ? {} : { Env },
    rootfs: { type: 'layers', diff_ids: [] },
  });
  it('has Flink where its environment says', () => {
    expect(flinkHomeOf(config(['A=b', 'FLINK_HOME=/opt/flink']), 'flink')).toBe('/opt/flink');
  });
  it.each([[undefined], [['PATH=/bin']], [['FLINK_HOME=']], [['FLINK_HOME=opt']], [['FLINK_HOME=/opt/../etc']]])(
    'with %j has none',
    (env) => {
      expect(() => flinkHomeOf(config(env), 'debian')).toThrow(
        expect.objectContaining({ reason: 'ImageUnsuitable', field: 'image' }),
      );
    },
  );
  it('is chosen with all its variants', () => {
    const of = (architecture: string, variant?: string): Parameters<typeof choose>[0]['manifests'][number] => ({
      ...{ mediaType: 'm', digest: `sha256:${sha(architecture + (variant ?? ''))}`, size: 1 },
      platform: { os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) },
    });
    const index = { schemaVersion: 2 as const, manifests: [of('arm', 'v6'), of('arm64', 'v8'), of('arm', 'v7')] };
    const chosen = (wanted?: string[]): unknown[] =>
      choose(index, wanted, 'flink').map(({ platform }) => `${platform?.architecture}/${platform?.variant}`);
    expect(chosen()).toEqual(['arm/v6', 'arm64/v8', 'arm/v7']);
    expect(chosen(['linux/arm'])).toEqual(['arm/v6', 'arm/v7']);
    expect(chosen(['linux/arm/v7', 'linux/arm64'])).toEqual(['arm64/v8', 'arm/v7']);
    expect(() => chosen(['windows/amd64'])).toThrow(expect.objectContaining({ reason: 'ImageNotFound' }));
  });
});
