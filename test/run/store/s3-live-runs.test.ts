import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { omit } from '../../../lib/core/omit.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { rowOf, rowText } from '../../../lib/run/row.ts';
import type { LiveRun } from '../../../lib/run/store/live-runs.ts';
import { createS3Ledger } from '../../../lib/run/store/s3-ledger.ts';
import { createS3LiveRuns, createS3SweepPlaces } from '../../../lib/run/store/s3-live-runs.ts';
import { FakeS3 } from '../../fakes/s3.ts';
import { sampleRecord } from '../../fixtures/records/load.ts';

const [runId, nextId] = ['a', 'b'].map(runIdFor).sort() as [ReturnType<typeof runIdFor>, ReturnType<typeof runIdFor>];

let s3: FakeS3;
let live: ReturnType<typeof createS3LiveRuns>;
beforeEach(() => {
  s3 = new FakeS3();
  live = createS3LiveRuns(s3.bucket);
});

function at(state: RunRecord['state'], changes: Partial<RunRecord> = {}): RunRecord {
  return { ...omit({ ...sampleRecord({ runId }) }, 'outcome'), state, ...changes } as RunRecord;
}

const rowAt = (state: RunRecord['state']): string => rowText(rowOf(at(state)));
const markerOf = async (): Promise<LiveRun> => {
  const [marker] = await live.list({ limit: 1 });
  if (marker === undefined) throw new Error('no marker');
  return marker;
};

describe('the marker of a run that is not closed', () => {
  it('stays where only rows were listed: the run may have been marked since', async () => {
    s3.store(`ledger/live/${runId}~${rowAt('running')}`, '');
    const left = await markerOf();
    await createS3Ledger(s3.bucket).create(at('accepted'));
    await live.forget(left);
    expect(await live.list({ limit: 1 })).toMatchObject([{ runId, version: expect.any(String) as string }]);
  });

  it('is listed with all its rows, on however many pages they are', async () => {
    await createS3Ledger(s3.bucket).create(at('accepted'));
    for (let attempts = 1; attempts < 9; attempts += 1) {
      const row = rowText({ ...rowOf(at('running')), attempts });
      s3.store(`ledger/live/${runId}~${row}`, '');
    }
    await createS3Ledger(s3.bucket).create(at('accepted', { runId: nextId }));
    const marker = await markerOf();
    expect(new Set(marker.rows).size).toBe(9);
    expect(marker.rows).toHaveLength(9);
    expect(await live.list({ limit: 1, after: marker.place })).toMatchObject([{ runId: nextId }]);
  });
});

describe('what a run has become', () => {
  it('is shown by one row, once those of a crash are mended', async () => {
    await createS3Ledger(s3.bucket).create(at('starting'));
    s3.store(`ledger/live/${runId}~${rowAt('running')}`, '');
    s3.asked.length = 0;
    expect(await live.mend(await markerOf(), at('running'))).toBe(true);
    expect((await markerOf()).rows).toEqual([rowAt('running')]);
    expect(s3.asked.filter((what) => what.startsWith('put'))).toEqual([]);
    expect(await live.mend(await markerOf(), at('running'))).toBe(false);
  });

  it('stays as it is shown while the run becomes nothing else', async () => {
    const ledger = createS3Ledger(s3.bucket);
    const { version, value } = await ledger.create(at('running'));
    await ledger.replace(at('running', { updatedAt: 5 }), version, value);
    expect((await markerOf()).rows).toEqual([rowAt('running')]);
  });
});

describe('the place where a sweep stopped', () => {
  it.each(['', 'x', '[]', '{"run":7,"cluster":null}'])('is none where it cannot be read: %j', async (text) => {
    s3.store('ledger/runs/sweep-place.json', text);
    expect(await createS3SweepPlaces(s3.bucket).read()).toEqual({});
  });
});
