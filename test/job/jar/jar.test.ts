import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryClassOf, parseJarManifest } from '../../../lib/job/jar/jar-manifest.ts';
import { readJar } from '../../../lib/job/jar/jar.ts';
import { inspectJar } from '../../../lib/job/jar/inspect.ts';
import { jarFixture, MemoryObjects } from './memory-objects.ts';
import { writeZip, type Entry } from './zip-writer.ts';

const REF = { bucket: 'jars', key: 'a.jar' };
const URI = 's3://jars/a.jar';

function stored(bytes: Uint8Array): MemoryObjects {
  return new MemoryObjects().put('jars/a.jar', bytes);
}

async function entryClass(bytes: Uint8Array): Promise<string | undefined> {
  const objects = stored(bytes);
  const { attributes } = await readJar((range) => objects.read(REF, range), URI);
  return attributes === undefined ? undefined : entryClassOf(attributes);
}

function manifest(text: string): Buffer {
  return Buffer.from(`Manifest-Version: 1.0\r\n${text}\r\n\r\n`);
}

describe('readJar', () => {
  it.each([
    ['main-class', 'org.example.Job'],
    ['program-class', 'org.example.Program'],
    ['long-main-class', 'org.example.a.very.long.package.name.that.does.not.fit.into.one.line.of.a.manifest.Job'],
    ['stored', 'org.example.Job'],
    ['manifest-last', 'org.example.Job'],
    ['zip64', 'org.example.Job'],
    ['launcher', 'org.example.Job'],
    ['no-main-class', undefined],
    ['no-manifest', undefined],
  ])('finds the entry class of %s.jar', async (name, expected) => {
    expect(await entryClass(jarFixture(name))).toBe(expected);
  });

  const chunk = fc.uint8Array({ maxLength: 3000 });
  const entry = fc.record({
    name: fc.stringMatching(/^[a-z]{1,12}(\/[a-z]{1,12}){0,3}\.class$/),
    content: chunk,
    streamed: fc.boolean(),
    stored: fc.boolean(),
  });

  it('finds the manifest wherever it is and however it is written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 90 }),
        fc.nat(90),
        fc.boolean(),
        fc.boolean(),
        fc.string({ maxLength: 40 }),
        async (others, at, streamed, isStored, comment) => {
          const own: Entry = {
            name: 'META-INF/MANIFEST.MF',
            content: manifest('Main-Class: a.B'),
            streamed,
            stored: isStored,
          };
          expect(await entryClass(writeZip([...others.slice(0, at), own, ...others.slice(at)], comment))).toBe('a.B');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes two requests where head and end hold all, four at most', async () => {
    const filler: Entry = { name: 'big.bin', content: Buffer.alloc(1_100_000, 'x'), streamed: false, stored: true };
    const many = Array.from({ length: 13_000 }, (_, i): Entry => ({
      ...filler,
      name: `a/long/package/name/of/a/class/Class${i}.class`,
      content: Buffer.alloc(1),
      stored: true,
    }));
    const own: Entry = {
      name: 'META-INF/MANIFEST.MF',
      content: manifest('Main-Class: a.B'),
      streamed: true,
      stored: false,
    };
    const asked = async (entries: readonly Entry[]): Promise<number> => {
      const objects = stored(writeZip(entries));
      await readJar((range) => objects.read(REF, range), URI);
      return objects.requests.length;
    };
    expect(await asked([own, filler, ...many])).toBe(3);
    expect(await asked([filler, own])).toBe(2);
    expect(await asked([filler, own, filler])).toBe(3);
    expect(await asked([filler, own, filler, ...many])).toBe(4);
  });

  it.each([
    ['an empty file', new Uint8Array(), 'is empty'],
    ['a cut jar', jarFixture('main-class').subarray(0, 2000), 'it is cut (2000 bytes)'],
    ['a jar without its last byte', jarFixture('main-class').subarray(0, -1), 'it is cut'],
    ['a web page', Buffer.from('<html><body>404</body></html>'), 'looks like an HTML or XML page'],
    ['a pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\n'), 'git lfs pull'],
    ['gzip', Buffer.from('1f8b0800000000000003', 'hex'), 'looks like a gzip file'],
    ['noise', Buffer.from('00112233445566778899', 'hex'), 'begins with the bytes 0011223344556677'],
  ])('refuses %s', async (_what, bytes, message) => {
    const failure = await entryClass(bytes).catch((error: unknown) => error);
    expect(failure).toMatchObject({ reason: 'JarUnreadable', field: 'job.jarURI' });
    expect((failure as Error).message).toContain(message);
  });

  it('does not inflate a bomb', async () => {
    const bomb: Entry = {
      name: 'META-INF/MANIFEST.MF',
      content: Buffer.alloc(64 * 1024 * 1024),
      streamed: true,
      stored: false,
    };
    await expect(entryClass(writeZip([bomb]))).rejects.toMatchObject({ reason: 'JarUnreadable' });
  });

  it('ends with an answer or JarUnreadable on any bytes', async () => {
    const jar = jarFixture('main-class');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(jar.length - 1), fc.nat(255)), { maxLength: 20 }), async (changes) => {
        const bytes = Buffer.from(jar);
        for (const [at, value] of changes) bytes[at] = value;
        const failure: unknown = await entryClass(bytes).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure !== undefined) expect(failure).toMatchObject({ reason: 'JarUnreadable' });
      }),
    );
  });
});

describe('parseJarManifest', () => {
  it('joins lines of 72 bytes, cut inside a character as well', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\p{L}.]{1,200}$/u), fc.constantFrom('\r\n', '\n', '\r'), (name, newline) => {
        const bytes = Buffer.from(`Main-Class: ${name}`).toString('latin1');
        const lines = [bytes.slice(0, 72), ...(bytes.slice(72).match(/[\s\S]{1,71}/g) ?? []).map((part) => ` ${part}`)];
        const text = Buffer.from(
          `Manifest-Version: 1.0${newline}${lines.join(newline)}${newline}${newline}Name: x${newline}`,
          'latin1',
        );
        expect(entryClassOf(parseJarManifest(text))).toBe(name.trim());
      }),
    );
  });

  it('reads the main section alone', () => {
    expect(
      entryClassOf(parseJarManifest(Buffer.from('Manifest-Version: 1.0\n\nName: a\nMain-Class: a.B\n'))),
    ).toBeUndefined();
  });
});

describe('inspectJar', () => {
  it('pins what it saw', async () => {
    const objects = new MemoryObjects().put('jars/a.jar', jarFixture('main-class'), { versionId: 'v7' });
    const { jar, entryClass: found } = await inspectJar({ uri: URI, s3: REF }, objects, undefined);
    expect(found).toBe('org.example.Job');
    expect(jar.s3).toMatchObject({ ...REF, versionId: 'v7', eTag: expect.stringMatching(/^[0-9a-f]{32}$/) as string });
  });

  it("lets the spec's entry class decide, and asks for one", async () => {
    const objects = stored(jarFixture('no-manifest'));
    expect((await inspectJar({ uri: URI, s3: REF }, objects, 'a.B')).entryClass).toBe('a.B');
    await expect(inspectJar({ uri: URI, s3: REF }, objects, undefined)).rejects.toMatchObject({
      reason: 'EntryClassMissing',
      field: 'job.entryClass',
    });
  });

  it('leaves a jar of the image alone', async () => {
    const objects = new MemoryObjects();
    expect(await inspectJar({ uri: 'local:///a.jar' }, objects, undefined)).toEqual({ jar: { uri: 'local:///a.jar' } });
    expect(objects.requests).toEqual([]);
  });
});
