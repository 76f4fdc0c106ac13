import { crc32, deflateRawSync } from 'node:zlib';

export interface Entry {
  readonly name: string;
  readonly content: Uint8Array;
  /** Sizes after the data, as `jar` writes them. */
  readonly streamed: boolean;
  readonly stored: boolean;
}

/** A zip of these entries, in this order. A stored entry is never streamed. */
export function writeZip(entries: readonly Entry[], comment = ''): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const streamed = entry.streamed && !entry.stored;
    const data = entry.stored ? Buffer.from(entry.content) : deflateRawSync(entry.content);
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(crc32(entry.content), 0);
    sizes.writeUInt32LE(data.length, 4);
    sizes.writeUInt32LE(entry.content.length, 8);
    const name = Buffer.from(entry.name);
    const common = Buffer.alloc(10);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(streamed ? 0x808 : 0x800, 2);
    common.writeUInt16LE(entry.stored ? 0 : 8, 4);
    const lengths = Buffer.alloc(4);
    lengths.writeUInt16LE(name.length, 0);
    const local = [Buffer.from('PK\u0003\u0004'), common, streamed ? Buffer.alloc(12) : sizes, lengths, name, data];
    if (streamed) local.push(Buffer.from('PK\u0007\u0008'), sizes);
    const end = Buffer.alloc(14);
    end.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\u0001\u0002'), Buffer.alloc(2), common, sizes, lengths, end, name);
    offset += local.reduce((sum, part) => sum + part.length, 0);
    parts.push(...local);
  }
  const central = Buffer.concat(directory);
  const tail = Buffer.alloc(18);
  tail.writeUInt16LE(entries.length, 4);
  tail.writeUInt16LE(entries.length, 6);
  tail.writeUInt32LE(central.length, 8);
  tail.writeUInt32LE(offset, 12);
  tail.writeUInt16LE(Buffer.byteLength(comment), 16);
  return Buffer.concat([...parts, central, Buffer.from('PK\u0005\u0006'), tail, Buffer.from(comment)]);
}
