import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { sweep } from '../../../lib/dispatch/sweep/sweep.ts';
import type { SweepLimits } from '../../../lib/dispatch/sweep/sweep-deps.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { MINUTE, Swept } from './swept.ts';

let swept: Swept;
const pass = (limits: Partial<SweepLimits> = {}) =>
  sweep([], swept.deps, { most: 1_000, deadline: swept.now + MINUTE, ...limits });
const late = (by: number): RunRecord => ({ ...runIn('launching', 0), step: { number: 7, dueAt: swept.now - by } });
const stored = () => swept.ledger.records.map(({ step }) => step);
async function markers(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await swept.mark(`r${String(i).padStart(3, '0')}`);
}

beforeEach(() => {
  swept = new Swept();
});

describe('a sweep of runs', () => {
  it('carries one on that is two minutes late, and lets it be due from then on', async () => {
    await swept.mark('a', late(2 * MINUTE));
    expect(await pass()).toMatchObject({ looked: 1, resumed: 1 });
    const runId = runIdFor('a');
    expect(swept.sent).toEqual([{ message: { version: 1, runId, step: 7 }, delay: 0 }]);
    expect(stored()).toEqual([{ number: 7, dueAt: swept.now }]);
    const dueAt = swept.now - 2 * MINUTE;
    expect(swept.logged[0]).toBe(`warn a run was overdue ${JSON.stringify({ runId, state: 'launching', dueAt })}`);
    expect(await pass()).toMatchObject({ looked: 1, resumed: 0 });
    expect(swept.sent).toHaveLength(1);
  });

  it('lets one alone whose message may still come', async () => {
    await swept.mark('a', late(2 * MINUTE - 1));
    expect(await pass()).toMatchObject({ looked: 1, resumed: 0 });
    expect([swept.sent, swept.ledger.writes.length]).toEqual([[], 1]);
  });

  it('takes the marker of one that is closed away, once its row is kept', async () => {
    await swept.mark('a', runIn('closed', 0));
    expect(await pass()).toMatchObject({ looked: 1, resumed: 0 });
    expect(swept.done).toEqual([`keep ${runIdFor('a')}`, 'forget a']);
  });

  it.each([
    [60 * MINUTE - 1, []],
    [60 * MINUTE, ['forget a']],
  ])('takes a marker of %i ms that has no record: %j', async (age, done) => {
    await swept.mark('a');
    swept.now += age;
    await pass();
    expect(swept.done).toEqual(done);
  });

  it('mends rows, and tells only of those that were behind', async () => {
    await swept.mark('a', late(0));
    await pass();
    swept.mends = true;
    await pass();
    expect(swept.done).toEqual(['mend a launching', 'mend a launching']);
    const told = `info the row of a run was mended ${JSON.stringify({ runId: runIdFor('a'), state: 'launching' })}`;
    expect(swept.logged.filter((line) => line.includes('row'))).toEqual([told]);
  });

  it('carries a run on whose row cannot be mended', async () => {
    await swept.mark('a', late(2 * MINUTE));
    swept.faults.plan('mend', 'before', new Error('no'));
    expect(await pass()).toMatchObject({ resumed: 1 });
    expect(swept.logged[0]).toBe(`warn the row of a run could not be mended {"runId":"${runIdFor('a')}","error":"no"}`);
  });

  it('goes on with the others where one cannot be read', async () => {
    await swept.mark('a', late(2 * MINUTE));
    await swept.mark('b', late(2 * MINUTE));
    swept.ledger.faults.plan('read', 'before', new Error('no'));
    expect(await pass()).toMatchObject({ looked: 2, resumed: 1 });
    expect(swept.logged[0]).toBe(`warn a run could not be swept {"runId":"${runIdFor('a')}","error":"no"}`);
  });
});

describe('a pass over all runs', () => {
  it('takes pages of a hundred, to the last', async () => {
    await markers(200);
    expect(await pass()).toMatchObject({ looked: 200 });
    expect(swept.pages).toEqual([{ limit: 100 }, { limit: 100, after: 'r099' }, { limit: 100, after: 'r199' }]);
    expect(swept.places).toEqual([]);
  });

  it('begins behind the last place, and then takes those up to it, each once', async () => {
    await markers(250);
    swept.from = { run: 'r149' };
    expect(await pass()).toMatchObject({ looked: 250 });
    expect(swept.pages.map(({ after }) => after)).toEqual(['r149', 'r249', undefined, 'r099']);
    expect(swept.places).toEqual([{}]);
  });

  it('ends at its number, and writes down where', async () => {
    await markers(150);
    expect(await pass({ most: 120 })).toMatchObject({ looked: 120 });
    expect(swept.pages.map(({ limit }) => limit)).toEqual([100, 20]);
    expect(swept.places).toEqual([{ run: 'r119' }]);
  });

  it('stays at its place where it has come to nothing', async () => {
    swept.from = { run: 'r119' };
    expect(await pass({ most: 0 })).toMatchObject({ looked: 0 });
    expect([swept.pages, swept.places]).toEqual([[], []]);
  });

  it('has half of the time', async () => {
    await markers(400);
    swept.pageTakes = 10;
    expect(await pass({ deadline: swept.now + 60 })).toMatchObject({ looked: 300 });
    expect(swept.places).toEqual([{ run: 'r299' }]);
    expect(await pass({ deadline: swept.now - 1 })).toMatchObject({ looked: 0 });
  });

  it('keeps its place where runs cannot be listed', async () => {
    await markers(150);
    swept.from = { run: 'r099' };
    swept.ledger.faults.plan('list', 'before', new Error('no'));
    expect(await pass()).toMatchObject({ looked: 0, resumed: 0 });
    expect(swept.logged[0]).toBe('warn runs could not be listed {"error":"no"}');
    expect(swept.places).toEqual([]);
  });

  it('says what it has found', async () => {
    const report = await pass();
    expect(report).toEqual({
      ...{ looked: 0, resumed: 0, deployments: 0, woken: 0 },
      ...{ leaked: 0, removed: 0, unswept: 0 },
    });
    expect(swept.logged).toEqual([`info swept ${JSON.stringify(report)}`]);
  });
});

describe('rows of older runs', () => {
  const told = () => swept.logged.filter((line) => line.includes('rows'));

  it('are moved when the pass is asked to, and that is told if there were any', async () => {
    await pass();
    await pass({ folds: false });
    expect(swept.done).toEqual([]);
    await pass({ folds: true });
    expect([swept.done, told()]).toEqual([['fold'], []]);
    swept.folded = 3;
    await pass({ folds: true });
    expect(told()).toEqual(['info rows of older runs were moved to a sheet {"rows":3}']);
  });

  it('hold up nothing where they cannot be moved', async () => {
    swept.faults.plan('fold', 'before', new Error('no'));
    expect(await pass({ folds: true })).toMatchObject({ looked: 0 });
    expect(told()).toEqual(['warn rows of older runs could not be moved {"error":"no"}']);
  });
});
