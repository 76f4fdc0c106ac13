import type { RunId } from '../../lib/core/ids.ts';
import type { Locks, LockState } from '../../lib/run/locks.ts';
import { Faults } from './faults.ts';

export class FakeLocks implements Locks {
  readonly faults = new Faults<keyof Locks>();
  /** Holder by key; a free lock has no entry. */
  readonly holders = new Map<string, RunId>();
  readonly lines = new Map<string, RunId[]>();

  acquire(key: string, runId: RunId, joins: boolean): Promise<LockState> {
    return this.faults.around('acquire', () => this.take(key, runId, joins));
  }

  release(key: string, runId: RunId): Promise<void> {
    return this.faults.around('release', () => {
      if (this.holders.get(key) === runId) this.holders.delete(key);
      this.lines.set(
        key,
        this.line(key).filter((waiting) => waiting !== runId),
      );
    });
  }

  private take(key: string, runId: RunId, joins: boolean): LockState {
    const holder = this.holders.get(key);
    if (holder === runId) return { held: true };
    const line = this.line(key);
    const [first = runId] = line;
    if (holder === undefined && first === runId) {
      this.lines.set(key, line.slice(1));
      this.holders.set(key, runId);
      return { held: true };
    }
    if (joins && !line.includes(runId)) this.lines.set(key, [...line, runId]);
    return { held: false, holder: holder ?? first };
  }

  private line(key: string): RunId[] {
    return this.lines.get(key) ?? [];
  }
}
