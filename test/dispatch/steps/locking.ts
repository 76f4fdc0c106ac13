import { runIdFor } from '../../../lib/core/ids.ts';
import { acquireLock } from '../../../lib/dispatch/acquire-lock.ts';
import type { QueuedRun, RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from './stepping.ts';

export type Policy = 'allow' | 'queue' | 'forbid' | 'replace';
export const HOLDER = runIdFor('holder');
export const upload = { kind: 'jar-upload', bucket: 'jars', key: 'a.jar', sequencer: 'B', eventTime: 0 } as const;

export function queued(policy: Policy | undefined, change: Partial<RunRecord> = {}): QueuedRun {
  const run = { ...runIn('accepted', 0), attempts: [], source: upload };
  const concurrency = policy && { key: 'word-count', policy };
  return { ...run, job: { ...run.job, concurrency }, ...change } as QueuedRun;
}

/** Runs of one key, and what a step does for its lock. */
export class Locking extends Stepping {
  /** By a run that is so; undefined: by one without a record. */
  async held(by: Partial<RunRecord> | undefined): Promise<void> {
    this.locks.holders.set('word-count', HOLDER);
    const run = { ...runIn('running', 0), runId: HOLDER, source: { ...upload, sequencer: 'A' } };
    const concurrency = { key: 'word-count', policy: 'queue' };
    if (by !== undefined) await this.ledger.create({ ...run, job: { ...run.job, concurrency }, ...by } as RunRecord);
  }

  take(run: QueuedRun): ReturnType<typeof acquireLock> {
    return acquireLock(run, this.deps);
  }
}
