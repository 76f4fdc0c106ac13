import { describe, expect, it } from 'vitest';
import { entryClassOf } from '../../../lib/job/jar/jar-manifest.ts';
import { inspectJar } from '../../../lib/job/jar/inspect.ts';
import { readJar } from '../../../lib/job/jar/jar.ts';
import { jarFixture, MemoryObjects } from './memory-objects.ts';
import { writeZip, type Entry } from './zip-writer.ts';

// Every answer here is that of java.util.jar.JarFile of Java 17, to whom the same bytes were given.

const REF = { bucket: 'jars', key: 'a.jar' };
const URI = 's3://jars/a.jar';
const MANIFEST = 'META-INF/MANIFEST.MF';
const VERSION = 'Manifest-Version: 1.0\r\n';

function entry(name: string, content: string): Entry {
  return { name, content: Buffer.from(content), streamed: false, stored: true };
}

/** A manifest that names a class. */
function naming(main: string, name = MANIFEST): Entry {
  return entry(name, `${VERSION}Main-Class: ${main}\r\n\r\n`);
}

const CLASS = entry('a.class', 'x'.repeat(100));
const JAR = writeZip([naming('a.A'), CLASS]);

async function mainClass(bytes: Uint8Array): Promise<string | undefined> {
  const objects = new MemoryObjects().put('jars/a.jar', bytes);
  const { attributes } = await readJar((range) => objects.read(REF, range), URI);
  return attributes === undefined ? 'no manifest' : entryClassOf(attributes);
}

/** The bytes with those at `mark` changed. */
function patched(mark: string, distance: number, value: Buffer): Buffer {
  const bytes = Buffer.from(JAR);
  value.copy(bytes, bytes.indexOf(mark) + distance);
  return bytes;
}

function inserted(mark: string, value: Buffer): Buffer {
  const at = JAR.indexOf(mark);
  return Buffer.concat([JAR.subarray(0, at), value, JAR.subarray(at)]);
}

const behind = (jar: Uint8Array, tail: string | Buffer): Buffer => Buffer.concat([jar, Buffer.from(tail)]);
const before = (head: string, jar: Uint8Array): Buffer => Buffer.concat([Buffer.from(head), jar]);

describe('bytes around a jar', () => {
  it.each([
    ['CRLF', jarFixture('trailing-newline'), 'com.acme.Job'],
    ['512 zeros', jarFixture('trailing-zeros'), 'com.acme.Job'],
    ['the boundary of a form', jarFixture('trailing-multipart'), 'com.acme.Job'],
    ['a space behind the name of its class', jarFixture('trailing-space'), 'com.acme.Job'],
    ['one byte', behind(JAR, '\n'), 'a.A'],
    ['as many zeros as Java looks behind', behind(JAR, Buffer.alloc(65_600)), 'a.A'],
    ['a launcher before it', before('#!/bin/sh\n', JAR), 'a.A'],
    ['a launcher before and a line end behind', behind(before('#!/bin/sh\n', JAR), '\n'), 'a.A'],
    [
      'a comment with the mark of an end',
      writeZip([naming('a.A')], 'hello PK\u0005\u0006 and more than 22 bytes'),
      'a.A',
    ],
    ['bytes behind its comment', behind(writeZip([naming('a.A')], 'hello'), 'xx'), 'a.A'],
    ['another jar before it', behind(writeZip([naming('b.B')]), JAR), 'a.A'],
  ])('may be: %s', async (_what, bytes, main) => expect(await mainClass(bytes)).toBe(main));

  it.each([
    ['a comment that is cut', writeZip([naming('a.A')], 'hello').subarray(0, -2), 'its comment is not whole'],
    ['zeros that hide its end', behind(JAR, Buffer.alloc(66_000)), 'it is cut'],
    [
      'a first header that is not there, and bytes behind',
      behind(patched('PK\u0003\u0004', 0, Buffer.from('XX')), '\n'),
      'is not a jar',
    ],
    ['a directory that is not there', patched('PK\u0001\u0002', 0, Buffer.from('XX')), 'broken directory'],
    ['a gap before its end', inserted('PK\u0005\u0006', Buffer.alloc(4)), 'broken directory'],
    ['an encrypted entry', patched('PK\u0001\u0002', 8, Buffer.from([1, 8])), 'encrypted'],
    ['a compression of its own', patched('PK\u0001\u0002', 10, Buffer.from([12, 0])), 'compression method 12'],
    [
      'a manifest that is elsewhere',
      patched('PK\u0003\u0004', 0, Buffer.from('XX')),
      'no manifest where its directory says',
    ],
  ])('may not be: %s', async (_what, bytes, words) => {
    const refused = mainClass(bytes);
    await expect(refused).rejects.toMatchObject({ reason: 'JarUnreadable', field: 'job.jarURI' });
    await expect(refused).rejects.toThrow(words);
  });
});

describe('the manifest that counts', () => {
  const LOWER = 'META-INF/manifest.mf';
  it.each([
    ['the last of two', [naming('a.A'), naming('b.B')], 'b.B'],
    ['the last, in any case of letters', [naming('a.A'), naming('b.B', LOWER)], 'b.B'],
    ['the last, with the usual name last', [naming('b.B', LOWER), naming('a.A')], 'a.A'],
    ['the last, with no usual name', [naming('b.B', LOWER), naming('a.A', 'meta-inf/Manifest.mf')], 'a.A'],
    ['the last of three, which is empty', [naming('a.A'), naming('b.B'), entry(MANIFEST, '')], undefined],
    ['the one that is a file', [entry(`${MANIFEST}/`, ''), naming('a.A')], 'a.A'],
    ['none in a folder of that name', [entry(`${MANIFEST}/`, '')], 'no manifest'],
    ['none with another path', [naming('a.A', `/${MANIFEST}`), naming('a.A', 'META-INF\\MANIFEST.MF')], 'no manifest'],
    ['that of the jar, not of a version', [naming('a.A'), naming('b.B', `META-INF/versions/9/${MANIFEST}`)], 'a.A'],
  ])('is %s', async (_which, entries, main) => expect(await mainClass(writeZip(entries))).toBe(main));

  it('is the last of two behind a megabyte of directory', async () => {
    const many = Array.from({ length: 13_000 }, (_, i) => entry(`a/long/package/name/of/a/class/Class${i}.class`, ''));
    expect(await mainClass(writeZip([naming('a.A'), naming('b.B'), ...many]))).toBe('b.B');
  });

  it('is said where there are two', async () => {
    const jar = jarFixture('two-manifests');
    const objects = new MemoryObjects().put('jars/a.jar', jar);
    const { entryClass, note } = await inspectJar({ uri: URI, s3: REF }, objects, undefined);
    expect(entryClass).toBe('com.acme.Job');
    expect(note).toBe(
      'job.jarURI: the jar has 2 manifests, and Java reads the last one, which names com.acme.Job, not lib.Cli of those before',
    );
    expect(await inspectJar({ uri: URI, s3: REF }, objects, 'my.Job')).not.toHaveProperty('note');
  });

  it('is said where it names no class, and one before it does', async () => {
    const bytes = writeZip([naming('my.Job'), entry(MANIFEST, VERSION)]);
    const objects = new MemoryObjects().put('jars/a.jar', bytes);
    await expect(inspectJar({ uri: URI, s3: REF }, objects, undefined)).rejects.toMatchObject({
      reason: 'EntryClassMissing',
      message: expect.stringContaining('which names no class, not my.Job of those before') as string,
    });
  });
});

describe('the lines of a manifest', () => {
  const MAIN = 'Main-Class: a.B\r\n';
  it.each([
    ['the last of two equal names', `${VERSION}Main-Class: a.A\r\n${MAIN}\r\n`, 'a.B'],
    ['a last line without its end, which is not there', `${VERSION}Main-Class: a.B`, undefined],
    ['a last line with its end', VERSION + MAIN, 'a.B'],
    ['no version', `${MAIN}\r\n`, 'a.B'],
    ['a value without anything', `${VERSION}Main-Class: \r\n\r\n`, undefined],
    ['lines that end as a Mac ended them', `${VERSION}${MAIN}\r\n`.replaceAll('\r\n', '\r'), 'a.B'],
    ['a line of 510 bytes', `${VERSION}Class-Path: ${'x'.repeat(498)}\r\n${MAIN}\r\n`, 'a.B'],
    ['sections without their last line', `${VERSION}${MAIN}\r\nName: x`, 'a.B'],
  ])('may have %s', async (_what, text, main) => {
    expect(await mainClass(writeZip([entry(MANIFEST, text)]))).toBe(main);
  });

  it.each([
    ['a line without a colon', `${VERSION}rubbish\r\n${MAIN}\r\n`, "line 2 has no ': '"],
    ['a colon without a space', `${VERSION}Main-Class:a.B\r\n\r\n`, "line 2 has no ': '"],
    ['a continuation by a tab', `${VERSION}Main-Class: a\r\n\t.B\r\n\r\n`, "line 3 has no ': '"],
    ['a name with a space', `${VERSION}My Key: x\r\n${MAIN}\r\n`, 'line 2 has a name'],
    ['a name of 71 letters', `${VERSION}${'x'.repeat(71)}: v\r\n${MAIN}\r\n`, 'line 2 has a name'],
    ['a byte order mark', `\ufeff${VERSION}${MAIN}\r\n`, 'line 1 has a name'],
    ['a continuation of nothing', ` x\r\n${VERSION}${MAIN}\r\n`, 'line 1 continues no line'],
    [
      'a line of 611 bytes',
      `${VERSION}Class-Path: ${'x'.repeat(600)}\r\n${MAIN}\r\n`,
      'line 2 is longer than 512 bytes',
    ],
    ['an empty line first', `\r\n${VERSION}${MAIN}\r\n`, 'line 2 begins a section without its Name'],
    ['a section without its name', `${VERSION}${MAIN}\r\nfoo: bar\r\n\r\n`, 'line 4 begins a section'],
    ['a section with rubbish', `${VERSION}${MAIN}\r\nName: x\r\nrubbish\r\n\r\n`, "line 5 has no ': '"],
  ])('may not have %s', async (_what, text, words) => {
    const refused = mainClass(writeZip([entry(MANIFEST, text)]));
    await expect(refused).rejects.toMatchObject({ reason: 'JarUnreadable' });
    await expect(refused).rejects.toThrow(`has a manifest that Java refuses: ${words}`);
  });
});
