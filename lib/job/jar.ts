import { DispatchError } from '../core/errors.ts';
import { parseJarManifest } from './jar-manifest.ts';
import type { ByteRange, ObjectHead } from './objects.ts';
import { dataStart, expand, findEnd, findInDirectory, findInHead, type EndOfArchive } from './zip.ts';

/** Bytes of one file; every answer comes with what the file is. */
export type RangeReader = (range: ByteRange) => Promise<{ readonly head: ObjectHead; readonly bytes: Uint8Array }>;

export interface JarFacts {
  readonly head: ObjectHead;
  /** The manifest's main attributes, names in lower case; absent when the jar has no manifest. */
  readonly attributes?: ReadonlyMap<string, string>;
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

/**
 * Reads a jar's manifest in two requests at once, whatever its size, since `jar` puts the manifest first; in three when
 * another tool did not, in four when there is more than a megabyte of directory besides. The end is read as well: a jar
 * without one was cut, and no JVM opens it.
 * @throws DispatchError `JarUnreadable`, and what `read` throws
 */
export async function readJar(read: RangeReader, name: string): Promise<JarFacts> {
  const [first, last] = await Promise.all([read({ offset: 0, length: HEAD_BYTES }), read({ length: TAIL_BYTES })]);
  const { head } = first;
  if (head.eTag !== last.head.eTag)
    throw new DispatchError('StorageUnavailable', `${name} was overwritten while it was read`);
  const tailOffset = head.size - last.bytes.length;
  const end = findEnd(last.bytes, tailOffset);
  if (end === undefined) throw unreadable(`${name} ${whatItIs(first.bytes, head.size)}`);
  const found = findInHead(first.bytes, isManifest) ?? (await findByDirectory(read, end, last.bytes, tailOffset, name));
  return found === undefined ? { head } : { head, attributes: parseJarManifest(found) };
}

async function findByDirectory(
  read: RangeReader,
  end: EndOfArchive,
  tail: Uint8Array,
  tailOffset: number,
  name: string,
): Promise<Uint8Array | undefined> {
  const { directoryOffset, directorySize, prefix } = end;
  if (directorySize > MAX_DIRECTORY) throw unreadable(`${name} has a directory of ${directorySize} bytes`);
  const before = tailOffset - directoryOffset;
  const directory =
    before <= 0
      ? tail.subarray(-before, directorySize - before)
      : Buffer.concat([
          (await read({ offset: directoryOffset, length: Math.min(before, directorySize) })).bytes,
          tail.subarray(0, Math.max(0, directorySize - before)),
        ]);
  const entry = findInDirectory(directory, prefix, isManifest);
  if (entry === undefined) return undefined;
  // The local header's name and extra field may be longer than those of the directory.
  const length = Math.min(entry.compressedSize, MANIFEST_BYTES) + HEADER_BYTES;
  const at = entry.offset - tailOffset;
  const bytes = at >= 0 ? tail.subarray(at, at + length) : (await read({ offset: entry.offset, length })).bytes;
  const from = dataStart(bytes);
  const data = from === undefined ? undefined : expand(bytes.subarray(from, from + entry.compressedSize), entry.method);
  if (data === undefined) throw unreadable(`${name} has a manifest that cannot be decompressed`);
  return data;
}

/** The JVM finds it in any case of letters. */
function isManifest(name: string): boolean {
  return name.length === 20 && name.toUpperCase() === 'META-INF/MANIFEST.MF';
}

const SIGNATURES: readonly (readonly [string, string])[] = [
  ['1f8b', 'a gzip file'],
  ['cafebabe', 'a Java class file'],
  ['7f454c46', 'an ELF binary'],
  ['25504446', 'a PDF'],
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

function unreadable(message: string): DispatchError {
  return new DispatchError('JarUnreadable', message, { field: 'job.jarURI' });
}
