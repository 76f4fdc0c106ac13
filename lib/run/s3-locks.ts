import { DispatchError } from '../core/errors.ts';
import { isRunId, sha256Hex, type RunId } from '../core/ids.ts';
import { isRecord } from '../core/json.ts';
import type { Locks } from './locks.ts';
import { getText, putIf, type Bucket } from './s3-objects.ts';

const RACES = 10;

interface Lock {
  readonly holder: RunId | undefined;
  /** First come, first served. */
  readonly line: readonly RunId[];
}

interface StoredLock {
  readonly lock: Lock;
  /** How often it changed. An ETag is of the content: without this, a write that comes late would meet its own again. */
  readonly revision: number;
}

const FREE: StoredLock = { lock: { holder: undefined, line: [] }, revision: 0 };

/**
 * Locks on S3: `locks/<sha256 of the key>.json`. A free lock is an object without holder, not a deleted one, so that all
 * changes are conditional writes of one object.
 */
export function createS3Locks(bucket: Bucket): Locks {
  return {
    async acquire(key, runId, joins) {
      const { holder, line } = await change(bucket, key, (lock) => acquired(lock, runId, joins));
      if (holder === runId) return { held: true };
      return { held: false, holder: holder ?? line[0] ?? runId };
    },
    async release(key, runId) {
      await change(bucket, key, (lock) => released(lock, runId));
    },
  };
}

function acquired(lock: Lock, runId: RunId, joins: boolean): Lock {
  const { holder, line } = lock;
  const isNext = holder === undefined && (line[0] === undefined || line[0] === runId);
  if (isNext) return { holder: runId, line: line.slice(1) };
  return holder === runId || !joins || line.includes(runId) ? lock : { holder, line: [...line, runId] };
}

function released(lock: Lock, runId: RunId): Lock {
  if (lock.holder !== runId && !lock.line.includes(runId)) return lock;
  return {
    holder: lock.holder === runId ? undefined : lock.holder,
    line: lock.line.filter((waiting) => waiting !== runId),
  };
}

/** Answers the lock as it is afterwards; `next` answers the same lock when there is nothing to change. */
async function change(bucket: Bucket, key: string, next: (lock: Lock) => Lock): Promise<Lock> {
  for (let races = 0; races < RACES; races += 1) {
    const { lock, revision, eTag } = await readLock(bucket, key);
    const changed = next(lock);
    if (changed === lock) return lock;
    const { holder = null, line } = changed;
    const text = JSON.stringify({ version: 1, key, holder, line, revision: revision + 1 });
    const condition = eTag === undefined ? 'absent' : { eTag };
    if ((await putIf(bucket, objectKey(key), text, condition)) !== undefined) return changed;
  }
  throw new DispatchError('StorageUnavailable', `the lock '${key}' changed hands ${RACES} times meanwhile`);
}

function objectKey(key: string): string {
  return `locks/${sha256Hex(key)}.json`;
}

async function readLock(bucket: Bucket, key: string): Promise<StoredLock & { readonly eTag?: string }> {
  const stored = await getText(bucket, objectKey(key));
  return stored === undefined ? FREE : { ...lockIn(stored.text, key), eTag: stored.eTag };
}

function lockIn(text: string, key: string): StoredLock {
  const lock: unknown = parse(text, key);
  if (!isRecord(lock) || lock['version'] !== 1) throw unreadable(key);
  // Before there were lines and revisions, locks had none.
  const { holder, line = [], revision = 0 } = lock;
  if (!Array.isArray(line) || typeof revision !== 'number') throw unreadable(key);
  const held = holder === null ? undefined : runIn(holder, key);
  return { lock: { holder: held, line: line.map((run) => runIn(run, key)) }, revision };
}

function runIn(value: unknown, key: string): RunId {
  if (typeof value !== 'string' || !isRunId(value)) throw unreadable(key);
  return value;
}

function parse(text: string, key: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(key);
  }
}

function unreadable(key: string): DispatchError {
  return new DispatchError('Internal', `the lock '${key}' (${objectKey(key)}) is no lock of version 1`);
}
