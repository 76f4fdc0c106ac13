import { beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../../lib/core/errors.ts';
import { runIdFor } from '../../../lib/core/ids.ts';
import { advance } from '../../../lib/dispatch/advance.ts';
import { without } from '../../../lib/run/machine.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from './stepping.ts';

const AWAY = new DispatchError('ClusterUnavailable', 'no answer', { retryAfter: 7 });
const MINUTE = 60_000;

let stepping: Stepping;
beforeEach(() => {
  stepping = new Stepping();
});

const KEY = { key: 'word-count', policy: 'queue' } as const;
const now = () => stepping.now;
const step = (number = 3) => ({ step: { number, dueAt: now() } });
const launching = (change: Partial<RunRecord> = {}): RunRecord =>
  ({ ...runIn('launching', 0), ...step(), ...change }) as RunRecord;
const ended = (change: Partial<RunRecord> = {}): RunRecord =>
  ({ ...without(runIn('ended', MINUTE), 'stepError'), attempts: [], ...step(), ...change }) as RunRecord;

async function take(run: RunRecord, { number = run.step.number, time = MINUTE } = {}): Promise<RunRecord> {
  await stepping.ledger.create(run);
  await advance({ version: 1, runId: run.runId, step: number }, stepping.deps, now() + time);
  return stepping.stored(run);
}
const sentSteps = () => stepping.sent.map(({ message, delay }) => ('step' in message ? [message.step, delay] : []));
const away = (times: number) => {
  for (let i = 0; i < times; i += 1) stepping.faults.plan('target', 'before', AWAY);
};

describe('a message', () => {
  it('of a run that is not known is told, and done with', async () => {
    const runId = runIdFor('none');
    await advance({ version: 1, runId, step: 1 }, stepping.deps, now() + MINUTE);
    expect(stepping.logged).toEqual([`error run message without a run record {"runId":"${runId}"}`]);
    expect([stepping.sent, stepping.counted]).toEqual([[], []]);
  });

  it('of a run that is closed gives its lock back', async () => {
    const closed = { ...runIn('closed', 0), ...step() };
    const run = { ...closed, job: { ...closed.job, concurrency: KEY } } as RunRecord;
    stepping.locks.holders.set('word-count', run.runId);
    await take(run, { number: 9 });
    expect([stepping.locks.holders.size, stepping.counted]).toEqual([0, []]);
  });

  it.each([
    [2, 0],
    [3, 1],
    [4, 1],
  ])('of step %i at a record of step 3 takes %i steps', async (number, steps) => {
    away(1);
    await take(launching(), { number });
    expect(stepping.counted.filter((one) => one === 'Steps 1')).toHaveLength(steps);
    expect(sentSteps()).toEqual(steps === 0 ? [] : [[number + 1, 7]]);
  });
});

describe('a step that fails', () => {
  it('is noted, and tried again later', async () => {
    away(1);
    const run = await take(launching());
    const stepError = { since: now(), count: 1, reason: 'ClusterUnavailable', message: 'no answer' };
    expect(run).toMatchObject({ state: 'launching', stepError, step: { number: 4, dueAt: now() + 7_000 } });
    expect(run.updatedAt).toBe(now());
    expect(stepping.counted).toEqual(['FailedSteps 1', 'Steps 1']);
    const fields = { runId: run.runId, state: 'launching', count: 1, reason: 'ClusterUnavailable', error: 'no answer' };
    expect(stepping.logged).toContain(`warn step failed ${JSON.stringify(fields)}`);
  });

  it('again counts on since the first one', async () => {
    stepping.faults.plan('target', 'before', new Error('a defect'));
    const stepError = { since: 1, count: 2, reason: 'ClusterUnavailable', message: 'm' } as const;
    const run = await take(launching({ stepError }));
    expect(run.stepError).toEqual({ since: 1, count: 3, reason: 'Internal', message: 'a defect' });
    expect(sentSteps()).toEqual([[4, 4]]);
  });

  it('is forgotten with one that succeeds', async () => {
    const stepError = { since: 1, count: 2, reason: 'ClusterUnavailable', message: 'm' } as const;
    const run = await take(launching({ stepError }));
    expect(run).not.toHaveProperty('stepError');
    expect(run.state).toBe('starting');
  });

  it('does not keep a run from an end that needs no look', async () => {
    away(2);
    const asked = { at: now() - 2 * MINUTE, by: 'a person', reason: 'JobCanceled' } as const;
    const stepError = { since: now() - MINUTE, count: 9, reason: 'ClusterUnavailable', message: 'm' } as const;
    const starting = { ...runIn('starting', MINUTE), ...step(), cancelRequested: asked, stepError };
    const run = await take(starting);
    expect(run.outcome).toMatchObject({ state: 'canceled', rule: 'no-look' });
    const { rule, state, reason, message } = run.outcome ?? {};
    const told = JSON.stringify({ runId: run.runId, rule, state, reason, message });
    expect(stepping.logged).toContain(`info verdict ${told}`);
  });

  it('for a day closes a run that has ended, without proof, and frees its key', async () => {
    const stepError = {
      since: now() - 24 * 60 * MINUTE,
      count: 9,
      reason: 'ClusterUnavailable',
      message: 'm',
    } as const;
    const cleaning = without(runIn('cleaning', MINUTE), 'keepUntil');
    const job = { ...cleaning.job, concurrency: KEY };
    stepping.locks.holders.set('word-count', cleaning.runId);
    away(1);
    const run = await take({ ...cleaning, job, ...step(), stepError } as RunRecord);
    expect(run.state).toBe('closed');
    expect([stepping.locks.holders.size, stepping.sent]).toEqual([0, []]);
    expect(stepping.counted).toEqual(['FailedSteps 1', 'RunsAbandoned 1', 'Steps 1']);
    expect(stepping.logged.join('\n')).toContain('error closed without proof that its cluster is gone {"runId"');
  });
});

describe('a wait', () => {
  it('of less than a second is sat out where there is time', async () => {
    stepping.inlineWait = 10_000;
    await take(launching());
    expect(stepping.slept.length).toBeGreaterThan(3);
    expect(new Set(stepping.slept)).toEqual(new Set([500]));
    expect(sentSteps()).toEqual([[4, 0.5]]);
    expect(stepping.slept.length * 500).toBe(9_500);
  });

  it.each([
    ['the function has no more time', 10_000, 400, 0],
    ['it may not', 500, MINUTE, 0],
    ['the look is late, as others queue for functions', 10_000, MINUTE, 5_000],
  ])('is a message where %s', async (_, inlineWait, time, late) => {
    stepping.inlineWait = inlineWait;
    const { step: due } = step();
    await take(launching({ step: { ...due, dueAt: due.dueAt - late } }), { time });
    expect([stepping.slept, sentSteps()]).toEqual([[], [[4, 0.5]]]);
  });

  it('is sat out where the look is a moment less late', async () => {
    stepping.inlineWait = 600;
    const { step: due } = step();
    await take(launching({ step: { ...due, dueAt: due.dueAt - 4_999 } }));
    expect(stepping.slept).toEqual([500]);
  });
});

describe('a step that somebody else was faster than', () => {
  const KEYED = (run: RunRecord): RunRecord => ({ ...run, job: { ...run.job, concurrency: KEY } }) as RunRecord;

  it('writes nothing, and leaves a message', async () => {
    away(1);
    const run = launching();
    const { read } = stepping.ledger;
    let reads = 0;
    stepping.ledger.read = async (id) => {
      const known = await read.call(stepping.ledger, id);
      reads += 1;
      if (reads === 1) await stepping.change({ ...run, step: { number: 8, dueAt: 0 } });
      return known;
    };
    const stored = await take(run);
    expect(stored.step.number).toBe(8);
    expect(sentSteps()).toEqual([[4, 7]]);
    expect(stepping.logged.at(-1)).toBe(`info another step came first {"runId":"${run.runId}","look":4}`);
  });

  it('gives a lock back that it took for a run that is closed by then', async () => {
    away(1);
    const run = KEYED(launching());
    const { read } = stepping.ledger;
    let reads = 0;
    stepping.ledger.read = async (id) => {
      const known = await read.call(stepping.ledger, id);
      reads += 1;
      if (reads === 1) await stepping.change(KEYED({ ...runIn('closed', 0), runId: run.runId } as RunRecord));
      return known;
    };
    stepping.locks.holders.set('word-count', run.runId);
    await take(run);
    expect(stepping.locks.holders.size).toBe(0);
  });
});

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
    await stepping.ledger.create(next as RunRecord);
    const run = ended({ events: [] });
    stepping.locks.holders.set('word-count', run.runId);
    stepping.locks.lines.set('word-count', [{ runId: next.runId, since: 1 }]);
    await take({ ...run, job: { ...run.job, concurrency: KEY } } as RunRecord);
    expect(stepping.sent).toEqual([
      { message: { version: 1, runId: next.runId, step: next.step.number + 1 }, delay: 0 },
    ]);
  });
});

describe('events of a run that goes on', () => {
  it('may be late', async () => {
    stepping.publisher.faults.plan('publish', 'before');
    const run = await take(launching({ events: [{ sequence: 1, type: 'accepted', time: 1 }] }));
    expect(run.state).toBe('starting');
    expect(run).not.toHaveProperty('stepError');
    expect(stepping.logged[0]).toMatch(/^warn events are late \{"runId":".*","error":"publish: the answer was lost/);
  });

  it('stay told when the step after them fails', async () => {
    away(1);
    const run = await take(launching({ events: [{ sequence: 1, type: 'accepted', time: 1 }] }));
    expect(run.events).toEqual([{ sequence: 1, type: 'accepted', time: 1, publishedAt: now() }]);
    expect(run.stepError?.count).toBe(1);
  });
});
