// A zip of few files that fit into memory: the same bytes for the same files, whenever and wherever it is made.
import { Buffer } from 'node:buffer';
import { crc32, deflateRawSync } from 'node:zlib';

/** Of the zip format: 2.0, names in UTF-8, deflated. */
const VERSION = 20;
const UTF8 = 0x800;
const DEFLATED = 8;
/** 1 January 1980, the first day that a zip knows. */
const DATE = 0x21;
/** Made on Unix; a file that everyone may read. */
const MADE_BY = (3 << 8) | VERSION;
const MODE = (0o100644 << 16) >>> 0;

/** `files`: names with `/`, and contents. */
export function zip(files) {
  const local = [];
  const central = [];
  let offset = 0;
  for (const { name, contents } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const data = deflateRawSync(contents, { level: 9 });
    const path = Buffer.from(name);
    const common = commonHeader(contents, data, path);
    local.push(Buffer.from('PK\x03\x04'), common, path, data);
    central.push(Buffer.from('PK\x01\x02'), uint16(MADE_BY), common, centralHeader(offset), path);
    offset += 4 + common.length + path.length + data.length;
  }
  const directory = Buffer.concat(central);
  return Buffer.concat([...local, directory, endOfDirectory(files.length, directory.length, offset)]);
}

function commonHeader(contents, data, path) {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(VERSION, 0);
  header.writeUInt16LE(UTF8, 2);
  header.writeUInt16LE(DEFLATED, 4);
  header.writeUInt16LE(DATE, 8);
  header.writeUInt32LE(crc32(contents), 10);
  header.writeUInt32LE(data.length, 14);
  header.writeUInt32LE(contents.length, 18);
  header.writeUInt16LE(path.length, 22);
  return header;
}

function centralHeader(offset) {
  const header = Buffer.alloc(14);
  header.writeUInt32LE(MODE, 6);
  header.writeUInt32LE(offset, 10);
  return header;
}

function endOfDirectory(entries, size, offset) {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return end;
}

function uint16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
