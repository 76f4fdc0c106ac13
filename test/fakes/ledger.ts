import type { RunId } from '../../lib/core/ids.ts';
import type { Ledger, Versioned } from '../../lib/run/store/ledger.ts';
import type { LivePage, LiveRuns } from '../../lib/run/store/live-runs.ts';
import { keptRecord } from '../../lib/run/retention/kept-record.ts';
import { parseRecord } from '../../lib/run/record-schema.ts';
import type { RunIndex } from '../../lib/run/store/run-index.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { Faults } from './faults.ts';

/** Keeps records as JSON, so that nothing is shared and what JSON cannot carry shows. */
export class FakeLedger implements Ledger, LiveRuns, RunIndex {
  readonly faults = new Faults<keyof Ledger | keyof LiveRuns | keyof RunIndex>();
  /** Every write that took effect, in order. */
  readonly writes: RunRecord[] = [];
  private readonly stored = new Map<RunId, { text: string; version: string }>();
  private versions = 0;

  /** All records as they are now. */
  get records(): readonly RunRecord[] {
    return [...this.stored.values()].map(({ text }) => parseRecord(text));
  }

  create(record: RunRecord): ReturnType<Ledger['create']> {
    return this.faults.around('create', () => {
      const known = this.find(record.runId);
      if (known !== undefined) return { kind: 'exists' as const, ...known };
      return { kind: 'created' as const, ...this.write(record) };
    });
  }

  read(runId: RunId): ReturnType<Ledger['read']> {
    return this.faults.around('read', () => this.find(runId));
  }

  replace(record: RunRecord, version: string): ReturnType<Ledger['replace']> {
    return this.faults.around('replace', () =>
      this.stored.get(record.runId)?.version === version ? this.write(record) : undefined,
    );
  }

  list({ after = '', limit, tenant }: LivePage): ReturnType<LiveRuns['list']> {
    return this.faults.around('list', () => {
      const open = this.records.filter(({ state }) => state !== 'closed');
      const asked = open.filter((run) => tenant === undefined || run.tenant === tenant);
      const placed = asked.map(({ runId, tenant: of }) => ({
        runId,
        place: of === undefined ? runId : `${of}/${runId}`,
      }));
      const behind = placed.filter(({ place }) => place > after).sort((a, b) => (a.place < b.place ? -1 : 1));
      return behind.slice(0, limit).map((run) => ({ ...run, markedAt: 0, version: run.runId, rows: [] }));
    });
  }

  /** Markers are the open records here: there is none to take away. */
  forget(): Promise<void> {
    return this.faults.around('forget', () => undefined);
  }

  /** Nor is there a row: lists of this ledger read its records. */
  mend(): Promise<boolean> {
    return this.faults.around('mend', () => false);
  }

  keep(): Promise<void> {
    return this.faults.around('keep', () => undefined);
  }

  fold(): Promise<number> {
    return this.faults.around('fold', () => 0);
  }

  private find(runId: RunId): Versioned<RunRecord> | undefined {
    const known = this.stored.get(runId);
    return known === undefined ? undefined : { value: parseRecord(known.text), version: known.version };
  }

  private write(given: RunRecord): Versioned<RunRecord> {
    const record = keptRecord(given);
    this.versions += 1;
    const version = `"${this.versions}"`;
    this.stored.set(record.runId, { text: JSON.stringify(record), version });
    this.writes.push(record);
    return { value: record, version };
  }
}
