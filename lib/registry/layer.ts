import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { Header } from 'tar/header';
import { DispatchError } from '../core/errors.ts';
import { isInnerPath } from '../core/inner-path.ts';
import type { Content } from './port.ts';

/** A file to put into an image. */
export interface LayerFile extends Content {
  /** Below Flink's home: `usrlib/job.jar`. */
  readonly path: string;
  /** Hexadecimal; checked while the file is read. */
  readonly sha256: string;
}

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);
const EPOCH = new Date(0);

/**
 * A path below Flink's home that stays there, and is a file of its own in a layer.
 * @throws DispatchError `InvalidSpec`, naming `field`
 */
export function checkPath(path: string, field: string): string {
  if (isInnerPath(path)) return path;
  const message = `${field} must be a path below Flink's home, without spaces, such as usrlib/job.jar, and not ${JSON.stringify(path)}`;
  throw new DispatchError('InvalidSpec', message, { field });
}

/**
 * A tar of files below `home`, owned by root and readable by all. Not compressed: jars are, and so the layer's size is
 * known before the first byte. The same files give the same bytes, whatever their order and whenever it is made.
 * @throws DispatchError `InvalidSpec` for paths as `checkPath`, and for one that two files have
 */
export function layerOf(home: string, files: readonly LayerFile[], field = 'jarDelivery'): Content {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  sorted.forEach(({ path }, index) => {
    checkPath(path, field);
    if (sorted[index - 1]?.path !== path) return;
    throw new DispatchError('InvalidSpec', `${field} has two files at ${path}`, { field });
  });
  // The image may have it, with its own rights: then it is given those that every image's has.
  const usrlib = sorted.some(({ path }) => path.startsWith('usrlib/')) ? [directory(posix.join(home, 'usrlib'))] : [];
  const size =
    usrlib.length * BLOCK + sorted.reduce((sum, file) => sum + BLOCK + padded(file.size), 0) + END.byteLength;
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield* usrlib;
    for (const file of sorted) {
      yield header({ path: inArchive(posix.join(home, file.path)), mode: 0o644, size: file.size, type: 'File' });
      yield* checked(file);
      yield Buffer.alloc(padded(file.size) - file.size);
    }
    yield END;
  }
  return { size, open: stream };
}

function directory(path: string): Buffer {
  return header({ path: `${inArchive(path)}/`, mode: 0o755, size: 0, type: 'Directory' });
}

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly type: 'File' | 'Directory';
}

function header(entry: Entry): Buffer {
  const block = Buffer.alloc(BLOCK);
  const made = new Header({ ...entry, uid: 0, gid: 0, uname: '', gname: '', mtime: EPOCH });
  if (made.encode(block)) throw new DispatchError('InvalidSpec', `the path ${entry.path} is too long for an image`);
  return block;
}

function inArchive(path: string): string {
  return path.replace(/^\/+/, '');
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** The file's bytes, when they are those that were pinned. */
async function* checked(file: LayerFile): AsyncGenerator<Uint8Array> {
  const { path, size, sha256 } = file;
  const hash = createHash('sha256');
  let seen = 0;
  for await (const chunk of file.open()) {
    hash.update(chunk);
    seen += chunk.byteLength;
    if (seen > size) break;
    yield chunk;
  }
  if (seen === size && hash.digest('hex') === sha256) return;
  const what =
    seen === size ? 'has another checksum' : seen < size ? `ended after ${seen} of ${size} bytes` : 'is longer';
  throw new DispatchError('StorageUnavailable', `${path} ${what} than what was pinned for this run`);
}
