import type { RunId } from '../../lib/core/ids.ts';
import type { Locks, LockState } from '../../lib/run/locks.ts';
import { Faults } from './faults.ts';

export class FakeLocks implements Locks {
  readonly faults = new Faults<keyof Locks>();
  /** Holder by key; a free lock has no entry. */
  readonly holders = new Map<string, RunId>();

  acquire(key: string, runId: RunId): Promise<LockState> {
    return this.faults.around('acquire', () => this.take(key, runId, undefined));
  }

  release(key: string, runId: RunId): Promise<void> {
    return this.faults.around('release', () => {
      if (this.holders.get(key) === runId) this.holders.delete(key);
    });
  }

  transfer(key: string, from: RunId, to: RunId): Promise<LockState> {
    return this.faults.around('transfer', () => this.take(key, to, from));
  }

  private take(key: string, runId: RunId, from: RunId | undefined): LockState {
    const holder = this.holders.get(key);
    if (holder !== undefined && holder !== runId && holder !== from) return { held: false, holder };
    this.holders.set(key, runId);
    return { held: true };
  }
}
