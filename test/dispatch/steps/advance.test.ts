import { beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../../lib/core/errors.ts';
import { runIdFor } from '../../../lib/core/ids.ts';
import { omit } from '../../../lib/core/omit.ts';
import { advance } from '../../../lib/dispatch/advance.ts';
import { without } from '../../../lib/run/machine.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { Advancing, MINUTE } from './advancing.ts';

const AWAY = new DispatchError('ClusterUnavailable', 'no answer', { retryAfter: 7 });

let stepping: Advancing;
beforeEach(() => {
  stepping = new Advancing();
});

const KEY = { key: 'word-count', policy: 'queue' } as const;
const now = () => stepping.now;
const step = (number?: number) => stepping.step(number);
const launching = (change: Partial<RunRecord> = {}): RunRecord =>
  ({ ...runIn('launching', 0), ...step(), ...change }) as RunRecord;
const ended = (change?: Partial<RunRecord>) => stepping.ended(change);
const take = (run: RunRecord, how?: { number?: number; time?: number }) => stepping.take(run, how);
const sentSteps = () => stepping.sentSteps;
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

  it('needs nobody who counts', async () => {
    away(1);
    const run = ended({ state: 'ended', events: [] });
    await stepping.ledger.create(run);
    const deps = omit(stepping.deps, 'metrics');
    await advance({ version: 1, runId: run.runId, step: 3 }, deps, now() + MINUTE);
    expect((await stepping.stored(run)).state).toBe('closed');
    stepping = new Advancing();
    away(1);
    await stepping.ledger.create(launching());
    await advance({ version: 1, runId: run.runId, step: 3 }, omit(stepping.deps, 'metrics'), now() + MINUTE);
    expect((await stepping.stored(run)).stepError?.count).toBe(1);
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
    const run = await take({ ...cleaning, job, ...step(), stepError });
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
    expect(stepping.logged.filter((line) => line.startsWith('info run'))).toHaveLength(1);
    expect(stepping.ledger.writes.map(({ state }) => state)).toEqual(['launching', 'starting', 'starting', 'starting']);
  });

  it('of a second is a message', async () => {
    stepping.inlineWait = 10_000;
    stepping.faults.plan('target', 'before', new Error('no'));
    await take(launching());
    expect([stepping.slept, sentSteps()]).toEqual([[], [[4, 1]]]);
  });

  it('for who is told when it is over is none', async () => {
    const first = { ...runIn('running', 0), runId: runIdFor('first') };
    await stepping.ledger.create(first);
    stepping.locks.holders.set('word-count', first.runId);
    const run = runIn('accepted', 0);
    const stored = await take({ ...run, ...step(), job: { ...run.job, concurrency: KEY } });
    expect(stored).toMatchObject({ state: 'waiting', step: { number: 4, dueAt: now() + 15 * MINUTE } });
    expect(stepping.sent).toEqual([]);
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
