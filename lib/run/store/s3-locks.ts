import { DispatchError } from '../../core/errors.ts';
import { isRunId, sha256Hex, type RunId } from '../../core/ids.ts';
import { isRecord } from '../../core/json.ts';
import type { LockName, Locks } from './locks.ts';
import { getText, putIf, type Bucket } from './s3-objects.ts';

const RACES = 10;

interface Lock {
  readonly holder: RunId | undefined;
  /** First come, first served. */
  readonly queue: readonly RunId[];
}

interface StoredLock {
  readonly lock: Lock;
  /** How often it changed. An ETag is of the content: without this, a write that comes late would meet its own again. */
  readonly revision: number;
}

const FREE: StoredLock = { lock: { holder: undefined, queue: [] }, revision: 0 };

/**
 * Locks on S3: `locks/<sha256 of the key>.json`, a tenant's `locks/<tenant>/<sha256 of the key>.json`. A free lock is an object without holder, not a deleted one, so that all
 * changes are conditional writes of one object.
 */
export function createS3Locks(bucket: Bucket): Locks {
  return {
    async acquire(name, runId, { enqueue }) {
      const { holder, queue } = await change(bucket, name, (lock) => acquired(lock, runId, enqueue));
      if (holder === runId) return { held: true };
      return { held: false, holder: holder ?? queue[0] ?? runId };
    },
    async release(name, runId) {
      await change(bucket, name, (lock) => released(lock, runId));
    },
  };
}

function acquired(lock: Lock, runId: RunId, enqueue: boolean): Lock {
  const { holder, queue } = lock;
  const isNext = holder === undefined && (queue[0] === undefined || queue[0] === runId);
  if (isNext) return { holder: runId, queue: queue.slice(1) };
  return holder === runId || !enqueue || queue.includes(runId) ? lock : { holder, queue: [...queue, runId] };
}

function released(lock: Lock, runId: RunId): Lock {
  if (lock.holder !== runId && !lock.queue.includes(runId)) return lock;
  return {
    holder: lock.holder === runId ? undefined : lock.holder,
    queue: lock.queue.filter((waiting) => waiting !== runId),
  };
}

/** Answers the lock as it is afterwards; `next` answers the same lock when there is nothing to change. */
async function change(bucket: Bucket, name: LockName, next: (lock: Lock) => Lock): Promise<Lock> {
  for (let races = 0; races < RACES; races += 1) {
    const { lock, revision, eTag } = await readLock(bucket, name);
    const changed = next(lock);
    if (changed === lock) return lock;
    const { holder = null, queue } = changed;
    const text = JSON.stringify({ version: 1, ...name, holder, queue, revision: revision + 1 });
    const condition = eTag === undefined ? 'absent' : { eTag };
    if ((await putIf(bucket, objectKey(name), text, condition)) !== undefined) return changed;
  }
  throw new DispatchError('StorageUnavailable', `the lock '${name.key}' changed hands ${RACES} times meanwhile`);
}

function objectKey({ tenant, key }: LockName): string {
  return `locks/${tenant === undefined ? '' : `${tenant}/`}${sha256Hex(key)}.json`;
}

async function readLock(bucket: Bucket, name: LockName): Promise<StoredLock & { readonly eTag?: string }> {
  const stored = await getText(bucket, objectKey(name));
  return stored === undefined ? FREE : { ...lockIn(stored.text, name), eTag: stored.eTag };
}

function lockIn(text: string, name: LockName): StoredLock {
  const lock: unknown = parse(text, name);
  if (!isRecord(lock) || lock['version'] !== 1) throw unreadable(name);
  // Before there were lines and revisions, locks had none.
  const { holder, queue = [], revision = 0 } = lock;
  if (!Array.isArray(queue) || typeof revision !== 'number') throw unreadable(name);
  const held = holder === null ? undefined : runIn(holder, name);
  return { lock: { holder: held, queue: queue.map((run) => runIn(run, name)) }, revision };
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
