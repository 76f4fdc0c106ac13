import { constants, inflateRawSync, type InflateRaw } from 'node:zlib';

/** At most this much of an entry is inflated, whatever the archive says of its size. */
const MAX_INFLATED = 16 * 1024 * 1024;

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
  return method === 8 ? inflate(bytes)?.data : undefined;
}

/** `used` tells where the stream ended; `complete` is false when the bytes end before it does. */
function inflate(bytes: Uint8Array): { data: Uint8Array; used: number } | undefined {
  try {
    const options = { maxOutputLength: MAX_INFLATED, finishFlush: constants.Z_SYNC_FLUSH, info: true };
    const result = inflateRawSync(bytes, options) as unknown as { buffer: Uint8Array; engine: InflateRaw };
    return { data: result.buffer, used: result.engine.bytesWritten };
  } catch {
    return undefined;
  }
}

/**
 * Looks for an entry by walking the local headers at the head of a file.
 * `undefined`: it is not there, or a header does not tell enough; the central directory knows.
 */
export function findInHead(head: Uint8Array, wanted: (name: string) => boolean): Uint8Array | undefined {
  const view = viewOf(head);
  let at = 0;
  for (let count = 0; count < 64 && at + 30 <= head.length; count += 1) {
    if (view.getUint32(at, true) !== 0x04034b50) return undefined;
    const flags = view.getUint16(at + 6, true);
    const method = view.getUint16(at + 8, true);
    const size = view.getUint32(at + 18, true);
    const nameEnd = at + 30 + view.getUint16(at + 26, true);
    const start = nameEnd + view.getUint16(at + 28, true);
    const encrypted = (flags & 1) !== 0;
    if (encrypted || size === 0xffffffff || start > head.length) return undefined;
    const streamed = (flags & 8) !== 0 && size === 0;
    const name = textOf(head.subarray(at + 30, nameEnd));
    const body = streamed ? streamedBody(head.subarray(start), method, view, start) : sizedBody(head, start, size);
    if (body === undefined) return undefined;
    if (wanted(name)) return expand(head.subarray(start, body.end), method);
    at = body.next;
  }
  return undefined;
}

interface Body {
  readonly end: number;
  /** Where the next header begins. */
  readonly next: number;
}

function sizedBody(head: Uint8Array, start: number, size: number): Body | undefined {
  const end = start + size;
  return end > head.length ? undefined : { end, next: end };
}

/** Sizes follow the data: only the end of the deflate stream tells where it ends. */
function streamedBody(rest: Uint8Array, method: number, view: DataView, start: number): Body | undefined {
  if (method !== 8) return undefined;
  const inflated = inflate(rest);
  if (inflated === undefined) return undefined;
  const end = start + inflated.used;
  if (end + 16 > view.byteLength) return undefined;
  const signed = view.getUint32(end, true) === 0x08074b50;
  const at = end + (signed ? 4 : 0);
  if (view.getUint32(at + 4, true) !== inflated.used) return undefined;
  return { end, next: at + 12 };
}

/**
 * The end record of an archive from its last bytes.
 * @param tailOffset where in the file `tail` begins
 * @returns `undefined` when there is none: no archive, or one that was cut
 */
export function findEnd(tail: Uint8Array, tailOffset: number): EndOfArchive | undefined {
  const view = viewOf(tail);
  for (let at = tail.length - 22; at >= 0; at -= 1) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    if (at + 22 + view.getUint16(at + 20, true) !== tail.length) continue;
    const end = endAt(view, at, tailOffset);
    if (end !== undefined) return end;
  }
  return undefined;
}

function endAt(view: DataView, at: number, tailOffset: number): EndOfArchive | undefined {
  let directorySize = view.getUint32(at + 12, true);
  let offset = view.getUint32(at + 16, true);
  let recordAt = at;
  const wide = at >= 76 && view.getUint32(at - 20, true) === 0x07064b50;
  if (wide && view.getUint32(at - 76, true) === 0x06064b50) {
    recordAt = at - 76;
    directorySize = Number(view.getBigUint64(recordAt + 40, true));
    offset = Number(view.getBigUint64(recordAt + 48, true));
  }
  const directoryOffset = tailOffset + recordAt - directorySize;
  const prefix = directoryOffset - offset;
  return directoryOffset < 0 || prefix < 0 ? undefined : { directoryOffset, directorySize, prefix };
}

/** Looks for an entry in a central directory. */
export function findInDirectory(
  directory: Uint8Array,
  prefix: number,
  wanted: (name: string) => boolean,
): DirectoryEntry | undefined {
  const view = viewOf(directory);
  for (let at = 0; at + 46 <= directory.length && view.getUint32(at, true) === 0x02014b50;) {
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > directory.length) return undefined;
    const name = textOf(directory.subarray(at + 46, nameEnd));
    if (wanted(name)) {
      const sizes = wideFields(view, at, nameEnd, extraEnd);
      return {
        name,
        method: view.getUint16(at + 10, true),
        compressedSize: sizes.compressedSize,
        offset: sizes.offset + prefix,
      };
    }
    at = next;
  }
  return undefined;
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
  if (local.length < 30 || view.getUint32(0, true) !== 0x04034b50) return undefined;
  return 30 + view.getUint16(26, true) + view.getUint16(28, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
