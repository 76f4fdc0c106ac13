import type { RunId } from '../../lib/core/ids.ts';
import type { LockName, Locks, LockState } from '../../lib/run/store/locks.ts';
import { Faults } from './faults.ts';

export class FakeLocks implements Locks {
  readonly faults = new Faults<keyof Locks>();
  /** Holder by key, a tenant's by `[tenant,key]` as JSON; a free lock has no entry. */
  readonly holders = new Map<string, RunId>();
  readonly lines = new Map<string, RunId[]>();

  acquire(name: LockName, runId: RunId, { enqueue }: { readonly enqueue: boolean }): Promise<LockState> {
    return this.faults.around('acquire', () => this.take(entryOf(name), runId, enqueue));
  }

  release(name: LockName, runId: RunId): Promise<void> {
    return this.faults.around('release', () => {
      const key = entryOf(name);
      if (this.holders.get(key) === runId) this.holders.delete(key);
      this.lines.set(
        key,
        this.line(key).filter((waiting) => waiting !== runId),
      );
    });
  }

  private take(key: string, runId: RunId, enqueue: boolean): LockState {
    const holder = this.holders.get(key);
    if (holder === runId) return { held: true };
    const line = this.line(key);
    const [first = runId] = line;
    if (holder === undefined && first === runId) {
      this.lines.set(key, line.slice(1));
      this.holders.set(key, runId);
      return { held: true };
    }
    if (enqueue && !line.includes(runId)) this.lines.set(key, [...line, runId]);
    return { held: false, holder: holder ?? first };
  }

  private line(key: string): RunId[] {
    return this.lines.get(key) ?? [];
  }
}

function entryOf({ tenant, key }: LockName): string {
  return tenant === undefined ? key : JSON.stringify([tenant, key]);
}
