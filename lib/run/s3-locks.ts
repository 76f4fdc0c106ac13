import { DispatchError } from '../core/errors.ts';
import { isRunId, sha256Hex, type RunId } from '../core/ids.ts';
import { isRecord } from '../core/json.ts';
import type { Locks, LockState } from './locks.ts';
import { getText, putIf, type Bucket } from './s3-objects.ts';

const RACES = 10;

interface Lock {
  readonly holder: RunId | undefined;
  readonly eTag: string;
}

/**
 * Locks on S3: `locks/<sha256 of the key>.json`. A free lock is an object without holder, not a deleted one, so that all
 * changes are conditional writes of one object.
 */
export function createS3Locks(bucket: Bucket): Locks {
  return {
    acquire: (key, runId) => change(bucket, key, (holder) => (holder === undefined ? { next: runId } : holder), runId),
    async release(key, runId) {
      await change(bucket, key, (holder) => (holder === runId ? { next: undefined } : 'done'), runId);
    },
    transfer: (key, from, to) =>
      change(bucket, key, (holder) => (holder === undefined || holder === from ? { next: to } : holder), to),
  };
}

/** What to do about a lock with this holder: set the next one, nothing, or yield to the holder. */
type Decide = (holder: RunId | undefined) => { readonly next: RunId | undefined } | 'done' | RunId;

async function change(bucket: Bucket, key: string, decide: Decide, runId: RunId): Promise<LockState> {
  for (let races = 0; races < RACES; races += 1) {
    const lock = await readLock(bucket, key);
    const decision = decide(lock?.holder);
    if (decision === 'done' || decision === runId) return { held: true };
    if (typeof decision === 'string') return { held: false, holder: decision };
    const text = JSON.stringify({ version: 1, key, holder: decision.next ?? null });
    const condition = lock === undefined ? 'absent' : { eTag: lock.eTag };
    if ((await putIf(bucket, objectKey(key), text, condition)) !== undefined) return { held: true };
  }
  throw new DispatchError('StorageUnavailable', `the lock '${key}' changed hands ${RACES} times meanwhile`);
}

function objectKey(key: string): string {
  return `locks/${sha256Hex(key)}.json`;
}

async function readLock(bucket: Bucket, key: string): Promise<Lock | undefined> {
  const stored = await getText(bucket, objectKey(key));
  return stored === undefined ? undefined : { holder: holderIn(stored.text, key), eTag: stored.eTag };
}

function holderIn(text: string, key: string): RunId | undefined {
  const lock: unknown = parse(text, key);
  if (!isRecord(lock) || lock['version'] !== 1) throw unreadable(key);
  const { holder } = lock;
  if (holder === null) return undefined;
  if (typeof holder !== 'string' || !isRunId(holder)) throw unreadable(key);
  return holder;
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
