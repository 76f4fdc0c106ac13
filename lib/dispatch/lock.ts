import { defined } from '../core/defined.ts';
import type { RunId } from '../core/ids.ts';
import type { RunRecord } from '../run/record.ts';
import type { Contender, LockName } from '../run/store/locks.ts';
import type { DispatchDeps } from './deps.ts';

type LockDeps = Pick<DispatchDeps, 'locks' | 'ledger' | 'runQueue'>;

/** Of the run's concurrency key, which is its tenant's own; absent when it has none. */
export function lockOf(run: RunRecord | undefined): LockName | undefined {
  const { tenant, job } = run ?? {};
  const key = job?.concurrency?.key;
  return key === undefined ? undefined : { ...defined({ tenant }), key };
}

export function contenderOf({ runId, createdAt }: Pick<RunRecord, 'runId' | 'createdAt'>): Contender {
  return { runId, since: createdAt };
}

/** Nothing happens when the run neither holds the lock nor waits for it. Who is next is told. */
export async function releaseLock(record: RunRecord, deps: LockDeps, whose = contenderOf(record)): Promise<void> {
  const lock = lockOf(record);
  if (lock === undefined) return;
  const next = await deps.locks.release(lock, whose);
  // Who takes away what another one left asks again itself.
  if (next !== undefined && next !== record.runId) await tellNext(next, deps);
}

/**
 * The lock is free, and this run first in line. The step that has joined the line may not be over: its message would find
 * the number of the step after it.
 */
export async function tellNext(runId: RunId, { ledger, runQueue }: LockDeps): Promise<void> {
  const next = await ledger.read(runId);
  if (next !== undefined) await runQueue.send({ version: 1, runId, step: next.value.step.number + 1 }, 0);
}
