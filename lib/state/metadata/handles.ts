import type { Cursor } from './cursor.ts';

/**
 * The handles of Flink's MetadataV2V3SerializerBase, as bytes of state each. Flink 1.20 and 2.3 write the newest kind of each, and read the
 * older ones.
 */

/** Handles in handles; Flink's own are three deep at most. */
const DEEPEST = 8;

type Reader = (cursor: Cursor, depth: number) => number;

/** Of a byte that says which handle follows; `undefined` for none. */
function handleOf(
  readers: ReadonlyMap<number, Reader>,
  what: string,
  cursor: Cursor,
  depth: number,
): number | undefined {
  const kind = cursor.byte();
  if (kind === 0) return undefined;
  const read = readers.get(kind);
  if (read === undefined) throw cursor.fail(`${kind} is no kind of ${what} that is known`);
  if (depth > DEEPEST) throw cursor.fail(`a ${what} lies more than ${DEEPEST} deep in others`);
  return read(cursor, depth + 1);
}

function sumOf(count: number, one: () => number): number {
  let sum = 0;
  for (let index = 0; index < count; index += 1) sum += one();
  return sum;
}

const STREAMS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  // ByteStreamStateHandle: the state is in the metadata itself.
  [1, (cursor) => (cursor.skipText(), cursor.skipBytes())],
  // FileStateHandle
  [2, (cursor) => textAfter(cursor, cursor.size())],
  [3, keyGroups],
  // RelativeFileStateHandle
  [6, (cursor) => (cursor.skipText(), cursor.size())],
  [15, segment],
  // EmptySegmentFileStateHandle
  [16, () => 0],
]);

/** StreamStateHandle; `undefined`: there is none. */
export function streamHandle(cursor: Cursor, depth = 0): number | undefined {
  return handleOf(STREAMS, 'stream handle', cursor, depth);
}

function textAfter(cursor: Cursor, bytes: number): number {
  cursor.skipText();
  return bytes;
}

/** SegmentFileStateHandle: a part of a file that several handles share. */
function segment(cursor: Cursor): number {
  cursor.long();
  const bytes = cursor.size();
  cursor.int();
  cursor.skipText();
  return textAfter(cursor, bytes);
}

/** KeyGroupsStateHandle: where each key group begins, in one stream. */
function keyGroups(cursor: Cursor, depth: number): number {
  cursor.int();
  cursor.skip(8 * cursor.count(8));
  return streamHandle(cursor, depth) ?? 0;
}

function withId(read: Reader): Reader {
  return (cursor, depth) => textAfter(cursor, read(cursor, depth));
}

const KEYED: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [3, keyGroups],
  [7, keyGroups],
  [12, withId(keyGroups)],
  [5, incremental],
  [11, withId((cursor, depth) => incremental(cursor, depth, true))],
  [8, withId(changelog)],
  [14, withId((cursor, depth) => changelog(cursor, depth, true))],
  [9, withId(changes)],
  [10, withId(changeFiles)],
  [13, (cursor, depth) => textAfter(cursor, withId(changeFiles)(cursor, depth))],
]);

/** KeyedStateHandle; `undefined`: there is none. */
export function keyedHandle(cursor: Cursor, depth = 0): number | undefined {
  return handleOf(KEYED, 'keyed handle', cursor, depth);
}

/** IncrementalRemoteKeyedStateHandle: the files of RocksDB or ForSt. */
function incremental(cursor: Cursor, depth: number, hasSize = false): number {
  cursor.long();
  cursor.skipText();
  cursor.skip(8);
  if (hasSize) cursor.long();
  const metadata = streamHandle(cursor, depth) ?? 0;
  return metadata + files(cursor, depth) + files(cursor, depth);
}

function files(cursor: Cursor, depth: number): number {
  return sumOf(cursor.count(3), () => {
    cursor.skipText();
    return streamHandle(cursor, depth) ?? 0;
  });
}

/** ChangelogStateBackendHandle: what was materialized, and what has changed since. */
function changelog(cursor: Cursor, depth: number, hasCheckpoint = false): number {
  cursor.skip(8);
  cursor.long();
  const materialized = sumOf(cursor.count(1), () => keyedHandle(cursor, depth) ?? 0);
  const since = sumOf(cursor.count(1), () => keyedHandle(cursor, depth) ?? 0);
  cursor.long();
  if (hasCheckpoint) cursor.long();
  return materialized + since;
}

/** InMemoryChangelogStateHandle */
function changes(cursor: Cursor): number {
  cursor.skip(24);
  return sumOf(cursor.count(8), () => {
    cursor.int();
    return cursor.skipBytes();
  });
}

/** ChangelogStateHandleStreamImpl */
function changeFiles(cursor: Cursor, depth: number): number {
  cursor.skip(8);
  for (let left = cursor.count(9); left > 0; left -= 1) {
    cursor.long();
    streamHandle(cursor, depth);
  }
  const bytes = cursor.size();
  cursor.long();
  return bytes;
}

const OPERATOR: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [4, (cursor, depth) => (partitions(cursor), streamHandle(cursor, depth) ?? 0)],
  [17, merged],
]);

/** OperatorStateHandle; `undefined`: there is none. */
export function operatorHandle(cursor: Cursor): number | undefined {
  return handleOf(OPERATOR, 'operator state handle', cursor, 0);
}

/** Of each state by its name, where its parts begin. */
function partitions(cursor: Cursor): void {
  for (let left = cursor.count(7); left > 0; left -= 1) {
    cursor.skipText();
    cursor.byte();
    cursor.skip(8 * cursor.count(8));
  }
}

/** FileMergingOperatorStreamStateHandle: two directories besides. */
function merged(cursor: Cursor, depth: number): number {
  partitions(cursor);
  cursor.skipText();
  cursor.skipText();
  cursor.byte();
  return streamHandle(cursor, depth) ?? 0;
}

/** InputChannelStateHandle and ResultSubpartitionStateHandle, of unaligned checkpoints. */
export function channelHandle(cursor: Cursor): number {
  cursor.skip(12);
  cursor.skip(8 * cursor.count(8));
  const bytes = cursor.size();
  streamHandle(cursor);
  return bytes;
}

/** Those of version 6, which may be merged into one for each subtask. */
export function kindedChannelHandle(cursor: Cursor): number {
  const kind = cursor.byte();
  if (kind === 1 || kind === 2) return channelHandle(cursor);
  if (kind !== 3 && kind !== 4) throw cursor.fail(`${kind} is no kind of channel state that is known`);
  cursor.int();
  const bytes = cursor.size();
  streamHandle(cursor);
  cursor.skipBytes();
  return bytes;
}
