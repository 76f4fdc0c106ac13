import { DispatchError } from '../../core/errors.ts';
import { JarFault } from './jar-fault.ts';
import { parseJarManifest } from './jar-manifest.ts';
import type { ByteRange, ObjectHead } from './objects.ts';
import { dataStart, expand, findEnd, findInDirectory, type DirectoryEntry, type ReadAt } from './zip.ts';

/** Bytes of one file; every answer comes with what the file is. */
export type RangeReader = (range: ByteRange) => Promise<{ readonly head: ObjectHead; readonly bytes: Uint8Array }>;

/** The manifest's main attributes, names in lower case. */
export type Attributes = ReadonlyMap<string, string>;

export interface JarFacts {
  readonly head: ObjectHead;
  /** Of the manifest that Java reads; absent when the jar has none. */
  readonly attributes?: Attributes;
  /** Of each manifest before that one, which Java does not read, in the jar's order. */
  readonly unread: readonly Attributes[];
}

/** `jar` and its like put the manifest first. */
const HEAD_BYTES = 32 * 1024;
/**
 * The directory of 12 000 entries, too, at the price of a few milliseconds: whoever put the manifest elsewhere saves a
 * request by it. An end record alone is 22 bytes and a comment of up to 65 535; zip64 adds 76.
 */
const TAIL_BYTES = 1_000_000;
/** Of a manifest that is not at the head, and of the header before it. */
const MANIFEST_BYTES = 64 * 1024;
const HEADER_BYTES = 4096;
const MAX_DIRECTORY = 64 * 1024 * 1024;
/** A jar with more manifests than that has the last of them compared with these. */
const MAX_UNREAD = 4;

/**
 * Reads a jar's manifest as `java.util.jar.JarFile` does, from the directory at the end; in two requests at once for a
 * manifest at the head, where `jar` puts it, in three when it is elsewhere or there is more than a megabyte of directory.
 * @throws DispatchError `JarUnreadable`, and what `read` throws
 */
export async function readJar(read: RangeReader, name: string): Promise<JarFacts> {
  const [first, last] = await Promise.all([read({ offset: 0, length: HEAD_BYTES }), read({ length: TAIL_BYTES })]);
  const { head } = first;
  if (head.eTag !== last.head.eTag) {
    throw new DispatchError('StorageUnavailable', `${name} was overwritten while it was read`);
  }
  const windows = [
    { offset: 0, bytes: first.bytes },
    { offset: head.size - last.bytes.length, bytes: last.bytes },
  ];
  try {
    const at = reading(read, windows, head.size);
    const entries = await manifestsIn(at, head.size, () => whatItIs(first.bytes, head.size));
    const manifests: Attributes[] = [];
    for (const entry of entries) manifests.push(await attributesOf(at, entry));
    const attributes = manifests.pop();
    return attributes === undefined ? { head, unread: [] } : { head, attributes, unread: manifests };
  } catch (error) {
    if (!(error instanceof JarFault)) throw error;
    throw new DispatchError('JarUnreadable', `${name} ${error.message}`, { field: 'job.jarURI' });
  }
}

interface Window {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** From what was read already, where it is there; what is missing before the end of the file is asked for. */
function reading(read: RangeReader, windows: readonly Window[], size: number): ReadAt {
  return async (offset, length) => {
    const end = Math.min(offset + length, size);
    if (end <= offset) return new Uint8Array();
    const holding = windows.find((window) => window.offset <= offset && end <= window.offset + window.bytes.length);
    if (holding !== undefined) return holding.bytes.subarray(offset - holding.offset, end - holding.offset);
    const tail = windows.find((window) => window.offset < end && end <= window.offset + window.bytes.length);
    const until = tail === undefined ? end : tail.offset;
    const { bytes } = await read({ offset, length: until - offset });
    return tail === undefined ? bytes : Buffer.concat([bytes, tail.bytes.subarray(0, end - tail.offset)]);
  };
}

/** The manifests of a jar, in its order. */
async function manifestsIn(at: ReadAt, size: number, otherwise: () => string): Promise<readonly DirectoryEntry[]> {
  const end = await findEnd(at, size);
  if (end === undefined) throw new JarFault(otherwise());
  if (end.directorySize > MAX_DIRECTORY) throw new JarFault(`has a directory of ${end.directorySize} bytes`);
  const directory = await at(end.directoryOffset, end.directorySize);
  return findInDirectory(directory, end.prefix, isManifest).slice(-1 - MAX_UNREAD);
}

async function attributesOf(at: ReadAt, { offset, compressedSize, method }: DirectoryEntry): Promise<Attributes> {
  // The local header's name and extra field may be longer than those of the directory.
  const bytes = await at(offset, Math.min(compressedSize, MANIFEST_BYTES) + HEADER_BYTES);
  const from = dataStart(bytes);
  if (from === undefined) throw new JarFault('has no manifest where its directory says: it is broken');
  const packed = bytes.subarray(from, from + compressedSize);
  const data = expand(packed, method);
  if (data === undefined) throw new JarFault('has a manifest that cannot be decompressed');
  return parseJarManifest(data, packed.length === compressedSize);
}

/** The JVM finds it in any case of letters. */
function isManifest(name: Uint8Array): boolean {
  return name.length === 20 && Buffer.from(name).toString('latin1').toUpperCase() === 'META-INF/MANIFEST.MF';
}

const SIGNATURES: readonly (readonly [string, string])[] = [
  ['1f8b', 'a gzip file'],
  ['cafebabe', 'a Java class file'],
  ['7f454c46', 'an ELF binary'],
  ['25504446', 'a PDF'],
  ['76657273696f6e20', 'what Git LFS leaves in the place of a file: run git lfs pull before the upload'],
  ['3c', 'an HTML or XML page'],
  ['7b', 'a JSON text'],
  ['504b0506', 'an empty zip with bytes missing'],
];

function whatItIs(bytes: Uint8Array, size: number): string {
  if (size === 0) return 'is empty';
  const hex = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  if (hex.startsWith('504b0304')) return `begins as a jar but has no end: it is cut (${size} bytes)`;
  const known = SIGNATURES.find(([signature]) => hex.startsWith(signature))?.[1];
  return `is not a jar: it ${known === undefined ? `begins with the bytes ${hex}` : `looks like ${known}`} (${size} bytes)`;
}
