import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor, type RunId } from '../../lib/core/ids.ts';
import type { Ledger } from '../../lib/run/store/ledger.ts';
import type { LiveRuns } from '../../lib/run/store/live-runs.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { sampleRecord } from '../fixtures/records/load.ts';
import { runId as runIdOf } from '../fakes/ids.ts';

interface Made {
  readonly ledger: Ledger;
  readonly live: LiveRuns;
}

/** What a ledger has to do; `make` gives one without runs. */
export function describeLedger(name: string, make: () => Made | Promise<Made>, rivals = 20): void {
  describe(`ledger: ${name}`, () => {
    let ledger: Ledger;
    let live: LiveRuns;
    beforeEach(async () => {
      ({ ledger, live } = await make());
    });

    it('gives back what was created, and knows no other run', async () => {
      const record = sample('a');
      const created = await ledger.create(record);
      expect(created).toMatchObject({ kind: 'created', value: record });
      expect(await ledger.read(record.runId)).toEqual({ value: record, version: created.version });
      expect(await ledger.read(runIdFor('nobody'))).toBeUndefined();
    });

    it('answers a second create with what stands', async () => {
      const first = await ledger.create(sample('a'));
      const second = await ledger.create(sample('a', { updatedAt: 1 }));
      expect(second).toEqual({ kind: 'exists', value: first.value, version: first.version });
    });

    it('replaces only what was read last', async () => {
      const { value, version } = await ledger.create(sample('a'));
      const next = await ledger.replace({ ...value, updatedAt: 2 }, version);
      expect(next?.value.updatedAt).toBe(2);
      expect(await ledger.replace({ ...value, updatedAt: 3 }, version)).toBeUndefined();
      expect(await ledger.read(value.runId)).toEqual(next);
      expect(await ledger.replace(sample('never created'), version)).toBeUndefined();
    });

    it('has one winner among many creators', async () => {
      const results = await Promise.all(
        Array.from({ length: rivals }, (_, writer) => ledger.create(sample('race', { updatedAt: writer }))),
      );
      const winners = results.filter(({ kind }) => kind === 'created');
      expect(winners).toHaveLength(1);
      expect(new Set(results.map(({ value }) => value.updatedAt))).toEqual(new Set([winners[0]?.value.updatedAt]));
    });

    it('has one winner among many that replace the same version, even with the same content', async () => {
      const { value, version } = await ledger.create(sample('race'));
      const results = await Promise.all(
        Array.from({ length: rivals }, () => ledger.replace({ ...value, updatedAt: 5 }, version)),
      );
      expect(results.filter((result) => result !== undefined)).toHaveLength(1);
    });

    it('loses no change of those who read again', async () => {
      const { value } = await ledger.create(sample('count', { updatedAt: 0 }));
      await Promise.all(Array.from({ length: 8 }, () => increment(ledger, value.runId)));
      expect((await ledger.read(value.runId))?.value.updatedAt).toBe(8);
    });

    it('lists runs until they are closed, page by page', async () => {
      const ids = ['a', 'b', 'c', 'd', 'e'].map(runIdFor).sort();
      for (const name of ['a', 'b', 'c', 'd', 'e']) await ledger.create(sample(name));
      const listed = async (page: Parameters<LiveRuns['list']>[0]): Promise<readonly RunId[]> =>
        (await live.list(page)).map(({ runId }) => runId);
      const first = await listed({ limit: 2 });
      expect(first).toEqual(ids.slice(0, 2));
      expect(await listed({ after: first[1] ?? '', limit: 100 })).toEqual(ids.slice(2));
      const closing = await ledger.read(ids[0] ?? runIdOf(''));
      if (closing === undefined) throw new Error('no record');
      const closed = await ledger.replace({ ...closing.value, state: 'closed' }, closing.version, closing.value);
      expect(await listed({ limit: 100 })).toEqual(ids.slice(1));
      await ledger.create(closing.value);
      expect(await listed({ limit: 100 })).toEqual(ids.slice(1));
      expect((await ledger.read(closing.value.runId))?.version).toBe(closed?.version);
    });
  });
}

function sample(name: string, changes: Parameters<typeof sampleRecord>[0] = {}): RunRecord {
  return sampleRecord({ runId: runIdFor(name), ...changes });
}

async function increment(ledger: Ledger, runId: RunId): Promise<void> {
  for (;;) {
    const read = await ledger.read(runId);
    if (read === undefined) throw new Error('no record');
    const changed = { ...read.value, updatedAt: read.value.updatedAt + 1 };
    if ((await ledger.replace(changed, read.version)) !== undefined) return;
  }
}
