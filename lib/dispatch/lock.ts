import { defined } from '../core/defined.ts';
import type { RunId } from '../core/ids.ts';
import type { RunRecord } from '../run/record.ts';
import type { LockName } from '../run/store/locks.ts';
import type { DispatchDeps } from './deps.ts';

/** Of the run's concurrency key, which is its tenant's own; absent when it has none. */
export function lockOf(run: RunRecord | undefined): LockName | undefined {
  const { tenant, job } = run ?? {};
  const key = job?.concurrency?.key;
  return key === undefined ? undefined : { ...defined({ tenant }), key };
}

/** Nothing happens when the run neither holds the lock nor waits for it. */
export async function releaseLock(record: RunRecord, deps: DispatchDeps, runId: RunId = record.runId): Promise<void> {
  const lock = lockOf(record);
  if (lock !== undefined) await deps.locks.release(lock, runId);
}
