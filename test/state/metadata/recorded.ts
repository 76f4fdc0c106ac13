import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'flink', 'metadata');

/** `npm run record:metadata` recorded them. */
export const FLINKS = ['1.20.0', '2.3.0'] as const;
export const SNAPSHOTS = [
  'heap',
  'rocksdb',
  'changelog',
  'changelog-files',
  'merged',
  'unaligned',
  'canonical',
  'native',
];

export function metadataOf(flink: string, snapshot: string): Buffer {
  return readFileSync(join(FOLDER, flink, `${snapshot}.metadata`));
}

/** What Flink itself reads in it, or plans. */
export function saidBy(flink: string, name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, flink, `${name}.json`), 'utf8'));
}
