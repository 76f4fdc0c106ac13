import { defined } from '../../core/defined.ts';
import { Cursor } from './cursor.ts';
import { channelHandle, keyedHandle, kindedChannelHandle, operatorHandle, streamHandle } from './handles.ts';

/** What a snapshot holds of one operator. */
export interface OperatorContent {
  /** 32 hex digits: Flink maps state to operators by it. It is the hash of the uid, where there is one. */
  readonly id: string;
  /** From version 5 of the format on. */
  readonly name?: string;
  /** The same, where the program gives it one. */
  readonly uid?: string;
  readonly parallelism: number;
  /** Key groups: no job with another number, or in more subtasks, can take its keyed state. */
  readonly maxParallelism: number;
  readonly bytes: number;
  /** Whether there is anything to restore. Flink refuses to leave that out, unless it is told to; of other operators it does not care. */
  readonly hasState: boolean;
}

/** What `_metadata` says of a savepoint or checkpoint. */
export interface SnapshotContent {
  /** Of the format. */
  readonly version: number;
  readonly checkpointId: number;
  readonly operators: readonly OperatorContent[];
}

/** Checkpoints.storeCheckpointMetadata: the magic number, the version of the format, then the id. */
export const MAGIC = 0x4960672d;
/** Flink 1.11 began the first, Flink 2.3 writes the last. */
const [OLDEST, NEWEST] = [3, 6];
const MASTER_STATE = 0xc96b1696 | 0;
/** A job with more is none. */
const MOST_OPERATORS = 10_000;
/** Of java.io.ObjectOutputStream. */
const SERIALIZED = 'aced0005';

/**
 * Reads `_metadata` as Flink 1.11 to 2.3 write it. It takes no more memory than the operators that are in it, whatever the bytes claim.
 * @throws MetadataError for what is no such file, or one that is cut
 */
export function readMetadata(bytes: Buffer): SnapshotContent {
  const cursor = new Cursor(bytes, 0);
  if (cursor.int() !== MAGIC) throw cursor.fail('it does not begin as metadata of Flink does');
  const version = cursor.int();
  if (version < OLDEST || version > NEWEST) {
    throw cursor.fail(`its format is version ${version}; versions ${OLDEST} to ${NEWEST} can be read`);
  }
  const checkpointId = cursor.size();
  for (let left = cursor.count(12); left > 0; left -= 1) masterState(cursor);
  const count = cursor.count(29);
  if (count > MOST_OPERATORS) throw cursor.fail(`${count} operators are more than ${MOST_OPERATORS}`);
  const operators = Array.from({ length: count }, () => operatorState(cursor, version));
  // CheckpointProperties, as Java has them.
  if (version > 3 && cursor.hex(4) !== SERIALIZED) throw cursor.fail('what follows the operators is no Java object');
  if (version === 3 && cursor.rest > 0) throw cursor.fail(`${cursor.rest} bytes follow the operators`);
  return { version, checkpointId, operators };
}

/** Of a hook of the JobManager; no operator has it. */
function masterState(cursor: Cursor): void {
  if (cursor.int() !== MASTER_STATE) throw cursor.fail('a master state does not begin as one');
  cursor.skipBytes();
}

function operatorState(cursor: Cursor, version: number): OperatorContent {
  const [name, uid] = version >= 5 ? [cursor.text(), cursor.text()] : [];
  const id = cursor.hex(16);
  const parallelism = cursor.int();
  const maxParallelism = cursor.int();
  const coordinator = streamHandle(cursor);
  const parts = subtasks(cursor, version);
  return {
    id,
    ...defined({ name: name || undefined, uid: uid || undefined }),
    parallelism,
    maxParallelism,
    bytes: (coordinator ?? 0) + sum(parts),
    hasState: coordinator !== undefined || parts.some((part) => part !== undefined),
  };
}

type Part = number | undefined;

function sum(parts: readonly Part[]): number {
  return parts.reduce<number>((all, part) => all + (part ?? 0), 0);
}

function subtasks(cursor: Cursor, version: number): readonly Part[] {
  const count = cursor.int();
  // All of them have finished.
  if (count < 0) return [];
  const seen: Part[] = [];
  for (let left = count; left > 0; left -= 1) {
    // One that has finished is counted from -1 downward.
    if (cursor.int() >= 0) seen.push(subtask(cursor, version));
  }
  return seen;
}

function subtask(cursor: Cursor, version: number): Part {
  const channel = version >= 6 ? kindedChannelHandle : channelHandle;
  const operator = [1, 2].map(() => (cursor.int() === 0 ? undefined : operatorHandle(cursor)));
  const keyed = [1, 2].map(() => keyedHandle(cursor));
  const channels = [1, 2].map(() => channelState(cursor, channel));
  const parts = [...operator, ...keyed, ...channels].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : sum(parts);
}

/** What was under way to the operator, or from it. */
function channelState(cursor: Cursor, read: (cursor: Cursor) => number): Part {
  const count = cursor.count(1);
  if (count === 0) return undefined;
  let bytes = 0;
  for (let left = count; left > 0; left -= 1) bytes += read(cursor);
  return bytes;
}
