import { DispatchError } from '../../core/errors.ts';
import { isRunId, sha256Hex, type RunId } from '../../core/ids.ts';
import { isRecord } from '../../core/json.ts';
import { firstInLine, joinLine, leaveLine, line } from './s3-lock-queue.ts';
import type { Contender, LockName, LockReader, Locks, LockState } from './locks.ts';
import { getText, putIf, type Bucket } from './s3-objects.ts';

/** A held lock is changed by its holder, and a free one by the first in line: others are met only where that is new. */
const RACES = 10;

interface StoredLock {
  readonly holder: RunId | undefined;
  /** How often it changed. An ETag is of the content: without this, a write that comes late would meet its own again. */
  readonly revision: number;
  readonly eTag?: string;
}

/**
 * Locks on S3: `locks/<sha256 of the key>.json`, a tenant's `locks/<tenant>/<sha256 of the key>.json`. A free lock is an
 * object without holder, not a deleted one, so that all changes are conditional writes of one object. Who waits for it
 * has an object of its own in the queue.
 */
export function createS3Locks(bucket: Bucket): Locks {
  return {
    acquire: (name, contender, { enqueue }) => acquire(bucket, name, contender, enqueue),
    release: (name, contender) => release(bucket, name, contender),
  };
}

export function createS3LockReader(bucket: Bucket): LockReader {
  return async (name) => {
    const { holder } = await readLock(bucket, name);
    const runs = (await line(bucket, name)).map(({ runId }) => runId);
    return { holder, queue: runs.filter((runId) => runId !== holder) };
  };
}

async function acquire(bucket: Bucket, name: LockName, contender: Contender, enqueue: boolean): Promise<LockState> {
  const { runId } = contender;
  // Its place comes before its look at the lock. Who releases the lock looks at the queue afterwards: either it finds this
  // run and tells it, or the lock was free before the run had its place, and so is free at the look, or another one's.
  if (enqueue) await joinLine(bucket, name, contender);
  for (let races = 0; races < RACES; races += 1) {
    const lock = await readLock(bucket, name);
    const first = lock.holder === undefined ? await firstInLine(bucket, name) : { runId: lock.holder };
    const isMine = first === undefined || first.runId === runId;
    if (!isMine) {
      const { runId: holder, ...place } = first;
      return { held: false, holder, ...place };
    }
    // It keeps its place until it gives both back.
    if (lock.holder === runId || (await write(bucket, name, lock, runId))) return { held: true };
  }
  throw changedHands(name);
}

async function release(bucket: Bucket, name: LockName, contender: Contender): Promise<RunId | undefined> {
  await leaveLine(bucket, name, contender);
  for (let races = 0; races < RACES; races += 1) {
    const lock = await readLock(bucket, name);
    const isOthers = lock.holder !== undefined && lock.holder !== contender.runId;
    if (isOthers) return undefined;
    // Of a free one it may have been told, and is gone.
    const isFree = lock.holder === undefined || (await write(bucket, name, lock, undefined));
    if (isFree) return (await firstInLine(bucket, name))?.runId;
  }
  throw changedHands(name);
}

function changedHands({ key }: LockName): DispatchError {
  return new DispatchError('StorageUnavailable', `the lock '${key}' changed hands ${RACES} times meanwhile`);
}

/** False: somebody else was first. */
async function write(
  bucket: Bucket,
  name: LockName,
  { revision, eTag }: StoredLock,
  holder: RunId | undefined,
): Promise<boolean> {
  const text = JSON.stringify({ version: 1, ...name, holder: holder ?? null, revision: revision + 1 });
  return (await putIf(bucket, objectKey(name), text, eTag === undefined ? 'absent' : { eTag })) !== undefined;
}

function objectKey({ tenant, key }: LockName): string {
  return `locks/${tenant === undefined ? '' : `${tenant}/`}${sha256Hex(key)}.json`;
}

async function readLock(bucket: Bucket, name: LockName): Promise<StoredLock> {
  const stored = await getText(bucket, objectKey(name));
  return stored === undefined
    ? { holder: undefined, revision: 0 }
    : { ...lockIn(stored.text, name), eTag: stored.eTag };
}

function lockIn(text: string, name: LockName): StoredLock {
  const lock: unknown = parse(text, name);
  if (!isRecord(lock) || lock['version'] !== 1) throw unreadable(name);
  const { holder, revision } = lock;
  if (typeof revision !== 'number') throw unreadable(name);
  return { holder: holder === null ? undefined : runIn(holder, name), revision };
}

function runIn(value: unknown, name: LockName): RunId {
  if (typeof value !== 'string' || !isRunId(value)) throw unreadable(name);
  return value;
}

function parse(text: string, name: LockName): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(name);
  }
}

function unreadable(name: LockName): DispatchError {
  return new DispatchError('Internal', `the lock '${name.key}' (${objectKey(name)}) is no lock of version 1`);
}
