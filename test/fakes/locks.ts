import type { RunId } from '../../lib/core/ids.ts';
import type { Contender, LockName, Locks, LockState } from '../../lib/run/store/locks.ts';
import { Faults } from './faults.ts';

export class FakeLocks implements Locks {
  readonly faults = new Faults<keyof Locks>();
  /** Holder by key, a tenant's by `[tenant,key]` as JSON; a free lock has no entry. */
  readonly holders = new Map<string, RunId>();
  readonly lines = new Map<string, Contender[]>();

  acquire(name: LockName, contender: Contender, { enqueue }: { readonly enqueue: boolean }): Promise<LockState> {
    return this.faults.around('acquire', () => this.take(entryOf(name), contender, enqueue));
  }

  release(name: LockName, { runId }: Contender): Promise<RunId | undefined> {
    return this.faults.around('release', () => {
      const key = entryOf(name);
      if (this.holders.get(key) === runId) this.holders.delete(key);
      this.leave(key, runId);
      return this.holders.has(key) ? undefined : this.line(key)[0]?.runId;
    });
  }

  private take(key: string, contender: Contender, enqueue: boolean): LockState {
    const { runId } = contender;
    const holder = this.holders.get(key);
    const [first = contender] = this.line(key);
    if (holder === runId || (holder === undefined && first.runId === runId)) {
      this.leave(key, runId);
      this.holders.set(key, runId);
      return { held: true };
    }
    if (enqueue) {
      this.leave(key, runId);
      this.lines.set(key, [...this.line(key), contender].sort(byPlace));
    }
    if (holder !== undefined) return { held: false, holder };
    return { held: false, holder: first.runId, since: first.since };
  }

  private leave(key: string, runId: RunId): void {
    this.lines.set(
      key,
      this.line(key).filter((waiting) => waiting.runId !== runId),
    );
  }

  private line(key: string): Contender[] {
    return this.lines.get(key) ?? [];
  }
}

function byPlace(a: Contender, b: Contender): number {
  return a.since - b.since || (a.runId < b.runId ? -1 : 1);
}

function entryOf({ tenant, key }: LockName): string {
  return tenant === undefined ? key : JSON.stringify([tenant, key]);
}
