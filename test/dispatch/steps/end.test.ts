import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { Advancing } from './advancing.ts';

let stepping: Advancing;
beforeEach(() => {
  stepping = new Advancing();
});

const KEY = { key: 'word-count', policy: 'queue' } as const;
const now = () => stepping.now;
const ended = (change?: Partial<RunRecord>) => stepping.ended(change);
const take = (run: RunRecord, how?: { number?: number; time?: number }) => stepping.take(run, how);
const sentSteps = () => stepping.sentSteps;

describe('the end of a run', () => {
  const completed = [{ sequence: 1, type: 'completed', time: 1 }] as const;

  it('has a report, is told, counted, and written as told before anything is removed', async () => {
    const run = await take(ended({ events: completed }));
    expect(run).toMatchObject({ state: 'closed', report: 'kept', events: [{ type: 'completed', publishedAt: now() }] });
    expect(stepping.ledger.writes.map(({ state, report, events }) => [state, report, events[0]?.publishedAt])).toEqual([
      ['ended', undefined, undefined],
      ['ended', 'kept', undefined],
      ['ended', 'kept', now()],
      ['cleaning', 'kept', now()],
      ['closed', 'kept', now()],
    ]);
    const { state, reason } = run.outcome ?? {};
    expect(stepping.counted.filter((one) => one.startsWith('RunsEnded'))).toEqual([
      `RunsEnded 1 ${JSON.stringify({ outcome: state, reason })}`,
    ]);
    const fields = { runId: run.runId, from: 'cleaning', reason, rule: run.outcome?.rule };
    expect(stepping.logged.at(-1)).toBe(`info run closed ${JSON.stringify(fields)}`);
    expect(stepping.publisher.published.map(({ event }) => event.data.state)).toEqual([state]);
    expect([...stepping.evidence.files.values()]).toEqual([`<p>${run.runId} kept</p>`]);
  });

  it('is not passed over before it is told', async () => {
    stepping.publisher.faults.plan('publish', 'before');
    const run = await take(ended({ events: completed, report: 'kept' }));
    expect(run).toMatchObject({ state: 'ended', stepError: { reason: 'StorageUnavailable' } });
    expect(run.events[0]).not.toHaveProperty('publishedAt');
    expect(sentSteps()).toEqual([[4, 1]]);
  });

  it('is told without a report that cannot be kept', async () => {
    stepping.evidence.faults.plan('putReport', 'before', new Error('no'));
    const run = await take(ended({ events: completed }));
    expect(run).toMatchObject({ state: 'closed', report: 'lost' });
    expect(stepping.logged).toContain(`warn the report was not kept {"runId":"${run.runId}","error":"no"}`);
  });

  it('that a former version has told has no report', async () => {
    const events = [{ ...completed[0], publishedAt: 2 }];
    const run = await take(ended({ events }));
    expect(run).not.toHaveProperty('report');
    expect([stepping.evidence.puts, stepping.publisher.published]).toEqual([0, []]);
  });

  it('that nobody has to be told of leaves the key to the next run, who is told', async () => {
    const next = { ...runIn('waiting', 0), runId: runIdFor('next') };
    await stepping.ledger.create(next);
    const run = ended({ events: [] });
    stepping.locks.holders.set('word-count', run.runId);
    stepping.locks.lines.set('word-count', [{ runId: next.runId, since: 1 }]);
    await take({ ...run, job: { ...run.job, concurrency: KEY } } as RunRecord);
    expect(stepping.sent).toEqual([
      { message: { version: 1, runId: next.runId, step: next.step.number + 1 }, delay: 0 },
    ]);
  });
});
