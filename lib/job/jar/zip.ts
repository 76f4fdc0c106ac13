import { constants, inflateRawSync } from 'node:zlib';
import { JarFault } from './jar-fault.ts';

/** At most this much of an entry is inflated, whatever the archive says of its size. */
const MAX_INFLATED = 16 * 1024 * 1024;

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
/** Java looks for an end in blocks of 128 bytes that overlap, and gives up before this many bytes from the end. */
const END_SEARCHED = 65_636;

/** Bytes of a file from an offset on; fewer where it ends before. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

export interface EndOfArchive {
  /** Where the central directory begins and how long it is, in the file. */
  readonly directoryOffset: number;
  readonly directorySize: number;
  /** Bytes in front of the archive, such as a launcher script: every offset in the directory lacks them. */
  readonly prefix: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly method: number;
  readonly compressedSize: number;
  /** Of the local header, in the file. */
  readonly offset: number;
}

/** The deflate stream or stored bytes of an entry, undone; as much of it as the bytes hold. `undefined`: not possible. */
export function expand(bytes: Uint8Array, method: number): Uint8Array | undefined {
  if (method === 0) return bytes;
  try {
    return inflateRawSync(bytes, { maxOutputLength: MAX_INFLATED, finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

/**
 * The end record of an archive, as `java.util.zip.ZipFile` finds it: the last one whose comment ends the file, or, with
 * anything behind it, whose directory and first header are where it says.
 * @returns `undefined` when there is none: no archive, or one that was cut
 * @throws JarFault when its directory cannot be where it says
 */
export async function findEnd(read: ReadAt, size: number): Promise<EndOfArchive | undefined> {
  const from = Math.max(0, size - END_SEARCHED);
  const tail = await read(from, size - from);
  const view = viewOf(tail);
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    if (view.getUint32(at, true) !== END) continue;
    const position = from + at;
    const directorySize = view.getUint32(at + 12, true);
    const offset = view.getUint32(at + 16, true);
    const behind = size - position - END_BYTES - view.getUint16(at + 20, true);
    if (behind !== 0 && !(await isInPlace(read, position - directorySize, offset))) continue;
    if (behind < 0) throw new JarFault('is cut: its comment is not whole');
    return placed((await wideEnd(read, position, { directorySize, offset })) ?? { position, directorySize, offset });
  }
  return undefined;
}

async function isInPlace(read: ReadAt, directoryOffset: number, offset: number): Promise<boolean> {
  if (directoryOffset < 0 || directoryOffset < offset) return false;
  const signature = async (at: number): Promise<number> => {
    const bytes = await read(at, 4);
    return bytes.length < 4 ? 0 : viewOf(bytes).getUint32(0, true);
  };
  return (await signature(directoryOffset)) === CENTRAL && (await signature(directoryOffset - offset)) === LOCAL;
}

interface EndRecord {
  readonly position: number;
  readonly directorySize: number;
  readonly offset: number;
}

/** The zip64 record that a locator before the end points at, unless it contradicts the end. */
async function wideEnd(
  read: ReadAt,
  position: number,
  end: Omit<EndRecord, 'position'>,
): Promise<EndRecord | undefined> {
  if (position < 20) return undefined;
  const locator = viewOf(await read(position - 20, 20));
  if (locator.byteLength < 20 || locator.getUint32(0, true) !== 0x07064b50) return undefined;
  const at = Number(locator.getBigUint64(8, true));
  if (at >= position) return undefined;
  const record = viewOf(await read(at, 56));
  if (record.byteLength < 56 || record.getUint32(0, true) !== 0x06064b50) return undefined;
  const directorySize = Number(record.getBigUint64(40, true));
  const offset = Number(record.getBigUint64(48, true));
  const agrees = (wide: number, plain: number): boolean => wide === plain || plain === 0xffffffff;
  if (!agrees(directorySize, end.directorySize) || !agrees(offset, end.offset)) return undefined;
  return { position: at, directorySize, offset };
}

function placed({ position, directorySize, offset }: EndRecord): EndOfArchive {
  const directoryOffset = position - directorySize;
  const prefix = directoryOffset - offset;
  if (directoryOffset < 0 || prefix < 0)
    throw new JarFault('has a directory that is not where its end says: it is cut');
  return { directoryOffset, directorySize, prefix };
}

/**
 * The entries of a central directory that are wanted, in its order.
 * @throws JarFault for what Java does not open
 */
export function findInDirectory(
  directory: Uint8Array,
  prefix: number,
  wanted: (name: Uint8Array) => boolean,
): DirectoryEntry[] {
  const view = viewOf(directory);
  const found: DirectoryEntry[] = [];
  let at = 0;
  while (at < directory.length) {
    if (at + 46 > directory.length || view.getUint32(at, true) !== CENTRAL)
      throw new JarFault('has a broken directory');
    const method = view.getUint16(at + 10, true);
    if ((view.getUint16(at + 8, true) & 1) !== 0)
      throw new JarFault('has an encrypted entry, which Java does not read');
    if (method !== 0 && method !== 8)
      throw new JarFault(`has an entry of compression method ${method}: Java knows 0 and 8`);
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > directory.length) throw new JarFault('has a broken directory');
    const name = directory.subarray(at + 46, nameEnd);
    if (wanted(name)) {
      const { compressedSize, offset } = wideFields(view, at, nameEnd, extraEnd);
      found.push({ name: Buffer.from(name).toString('utf8'), method, compressedSize, offset: offset + prefix });
    }
    at = next;
  }
  return found;
}

/** The zip64 extra field holds, in order, only those of the fields that are full of ones. */
function wideFields(
  view: DataView,
  at: number,
  extraStart: number,
  extraEnd: number,
): { compressedSize: number; offset: number } {
  const plain = {
    size: view.getUint32(at + 24, true),
    compressedSize: view.getUint32(at + 20, true),
    offset: view.getUint32(at + 42, true),
  };
  for (let extra = extraStart; extra + 4 <= extraEnd; extra += 4 + view.getUint16(extra + 2, true)) {
    if (view.getUint16(extra, true) !== 1) continue;
    let field = extra + 4;
    const take = (value: number): number => {
      if (value !== 0xffffffff || field + 8 > extraEnd) return value;
      field += 8;
      return Number(view.getBigUint64(field - 8, true));
    };
    take(plain.size);
    return { compressedSize: take(plain.compressedSize), offset: take(plain.offset) };
  }
  return plain;
}

/** Where an entry's data begins, counted from its local header; `undefined` when there is no header. */
export function dataStart(local: Uint8Array): number | undefined {
  const view = viewOf(local);
  if (local.length < 30 || view.getUint32(0, true) !== LOCAL) return undefined;
  return 30 + view.getUint16(26, true) + view.getUint16(28, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
