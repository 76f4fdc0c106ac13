import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { omit } from '../../../lib/core/omit.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { QueuedRun, RunRecord } from '../../../lib/run/record.ts';
import { rowOf, rowText, type RunRow } from '../../../lib/run/row.ts';
import { createS3Ledger } from '../../../lib/run/store/s3-ledger.ts';
import { createS3LiveRuns } from '../../../lib/run/store/s3-live-runs.ts';
import { createS3RunIndex, createS3RunList } from '../../../lib/run/store/s3-run-index.ts';
import { FakeS3 } from '../../fakes/s3.ts';
import { sampleRecord } from '../../fixtures/records/load.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-01T00:00:00Z');
const all = { limit: Infinity, matches: () => true };

const SAMPLE = sampleRecord();

let s3: FakeS3;
beforeEach(() => {
  s3 = new FakeS3();
});

/** The run that was accepted as the `n`th, a minute after the one before it. */
function closed(n: number, changes: Parameters<typeof sampleRecord>[0] = {}): RunRecord {
  return { ...SAMPLE, runId: runIdFor(String(n)), createdAt: START + n * MINUTE, state: 'closed', ...changes };
}

/** The same before it had an outcome. */
function open(run: RunRecord, state: RunRecord['state']): RunRecord {
  return { ...omit({ ...run }, 'outcome'), state } as RunRecord;
}

function store(record: RunRecord): void {
  s3.store(`ledger/index/rows/${rowText(rowOf(record))}`, '');
}

const names = (rows: readonly RunRow[]): readonly string[] => rows.map(({ name }) => name);
const rows = (wish: Partial<Parameters<ReturnType<typeof createS3RunList>['rows']>[0]>): Promise<readonly RunRow[]> =>
  createS3RunList(s3.bucket).rows({ ...all, ...wish });

describe('a list of 10,000 runs', () => {
  const FAILED = [17, 4_004, 9_990];

  let many: FakeS3;

  beforeAll(async () => {
    s3 = many = new FakeS3();
    for (let n = 0; n < 9_950; n += 1) {
      const state = FAILED.includes(n) ? 'failed' : 'succeeded';
      store(closed(n, { name: `job-${n % 100}`, outcome: { ...SAMPLE.outcome, state } }));
    }
    const index = createS3RunIndex(s3.bucket);
    while ((await index.fold()) > 0);
    for (let n = 9_950; n < 10_000; n += 1) {
      await createS3Ledger(s3.bucket).create({ ...open(closed(n), 'running'), name: 'live' });
    }
  }, 120_000);
  beforeEach(() => {
    s3 = many;
    s3.asked.length = 0;
  });

  it.each<[string, Parameters<typeof rows>[0], number]>([
    ['the newest', { limit: 100 }, 100],
    ['those that failed', { limit: 100, matches: ({ state }) => state === 'failed' }, 2],
    ['those of a name', { limit: 1000, matches: ({ name }) => name === 'job-7' }, 100],
    ['those that run', { limit: 100, matches: ({ state }) => state === 'running' }, 50],
    ['those of a day', { limit: 10_000, since: START + 9_000 * MINUTE }, 1_000],
    ['all', {}, 10_000],
    ['none', { matches: () => false }, 0],
  ])('has %s, and takes at most 5 requests', async (_what, wish, count) => {
    const found = await rows(wish);
    expect(found).toHaveLength(count);
    const times = found.map(({ acceptedAt }) => acceptedAt);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(s3.asked.length).toBeLessThanOrEqual(5);
  });
});

describe('a list', () => {
  it('shows a run as it is: by its latest row while it goes on, and once it is closed by its outcome', async () => {
    const ledger = createS3Ledger(s3.bucket);
    const ended = sampleRecord({ createdAt: START, attempts: [] });
    const { outcome } = ended;
    const accepted = open(ended, 'accepted') as QueuedRun;
    let stored = await ledger.create(accepted);
    const shown = async (): Promise<unknown> => (await rows({})).map(({ state, reason }) => [state, reason]);
    expect(await shown()).toEqual([['accepted', undefined]]);
    const until = { since: START, until: START, message: '' };
    const steps: RunRecord[] = [
      { ...accepted, state: 'waiting', waiting: { reason: 'ConcurrencyForbidden', ...until } },
      { ...accepted, state: 'waiting', waiting: { reason: 'QuotaExceeded', ...until } },
      { ...accepted, state: 'ended', outcome },
      { ...accepted, state: 'closed', outcome },
    ] as RunRecord[];
    const seen: unknown[] = [];
    for (const step of steps) {
      const next = await ledger.replace(step, stored.version, stored.value);
      if (next === undefined) throw new Error('changed meanwhile');
      stored = { kind: 'created', ...next };
      seen.push(...((await shown()) as unknown[]));
    }
    expect(seen).toEqual([
      ['waiting', 'ConcurrencyForbidden'],
      ['waiting', 'QuotaExceeded'],
      [outcome.state, outcome.reason],
      [outcome.state, outcome.reason],
    ]);
    expect(s3.keys('ledger/live/')).toEqual([]);
    expect(s3.keys('ledger/index/')).toHaveLength(1);
  });

  it('has a closed run once, although a function that was held up shows it as running', async () => {
    const run = closed(1);
    store(run);
    const running = rowText(rowOf(open(run, 'running')));
    s3.store(`ledger/live/${run.runId}~${running}`, '');
    expect((await rows({})).map(({ state }) => state)).toEqual([run.outcome?.state]);
    const live = createS3LiveRuns(s3.bucket);
    const [left] = await live.list({ limit: 10 });
    expect(left).toMatchObject({ runId: run.runId, rows: [running] });
    expect(left?.version).toBeUndefined();
    if (left !== undefined) await live.forget(left);
    expect(s3.keys('ledger/live/')).toEqual([]);
  });

  it('a crash between the record and its row is mended', async () => {
    const run = closed(1);
    const at = (state: RunRecord['state']): RunRecord => open(run, state);
    await createS3Ledger(s3.bucket).create(at('starting'));
    const live = createS3LiveRuns(s3.bucket);
    const [marker] = await live.list({ limit: 1 });
    if (marker === undefined) throw new Error('no marker');
    expect(await live.mend(marker, at('starting'))).toBe(false);
    expect(await live.mend(marker, at('running'))).toBe(true);
    expect((await rows({})).map(({ state }) => state)).toEqual(['running']);
  });

  it('a row that cannot be written stops no run', async () => {
    s3.failing.push({ what: /put live\/.*~/, error: () => new Error('no answer') });
    const run = open(closed(1), 'running');
    expect(await createS3Ledger(s3.bucket).create(run)).toMatchObject({ kind: 'created' });
  });
});

describe('fold', () => {
  const sizes = { kept: 2, foldAt: 4, sheet: 5 };
  const index = () => createS3RunIndex(s3.bucket, sizes);
  const listed = async () => names(await createS3RunList(s3.bucket, sizes).rows(all));
  const expected = (count: number) => Array.from({ length: count }, (_, n) => `run-${count - 1 - n}`);
  const put = (from: number, to: number): void => {
    for (let n = from; n < to; n += 1) store(closed(n, { name: `run-${n}` }));
  };

  it('leaves the newest rows, and fills one sheet after the other', async () => {
    put(0, 3);
    expect(await index().fold()).toBe(0);
    put(3, 4);
    expect(await index().fold()).toBe(2);
    expect(s3.keys('ledger/index/rows/')).toHaveLength(2);
    put(4, 8);
    expect(await index().fold()).toBe(4);
    put(8, 10);
    await index().fold();
    expect(s3.keys('ledger/index/older/')).toHaveLength(2);
    expect(await listed()).toEqual(expected(10));
  });

  it.each([
    ['before the rows are gone', /delete all/],
    ['before the sheet is written', /put index\/older/],
  ])('that stopped %s loses and doubles none', async (_when, what) => {
    put(0, 4);
    s3.failing.push({ what, error: () => new DispatchError('StorageUnavailable', 'no answer') });
    await expect(index().fold()).rejects.toThrow();
    expect(await listed()).toEqual(expected(4));
    s3.failing.length = 0;
    put(4, 6);
    await index().fold();
    expect(await listed()).toEqual(expected(6));
  });

  it('of two sweepers at a time loses none', async () => {
    put(0, 4);
    await Promise.all([index().fold(), index().fold()]);
    put(4, 8);
    await Promise.all([index().fold(), index().fold()]);
    expect(await listed()).toEqual(expected(8));
    expect(s3.keys('ledger/index/rows/')).toHaveLength(2);
  });

  it('takes no row from where it was before a sheet has it', async () => {
    put(0, 4);
    s3.failing.push({
      what: /put index\/older/,
      error: () => Object.assign(new Error('x'), { $metadata: { httpStatusCode: 412 } }),
    });
    expect(await index().fold()).toBe(0);
    expect(s3.keys('ledger/index/rows/')).toHaveLength(4);
  });
});
