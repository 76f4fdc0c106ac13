import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { abandon, beginCleanUp, cleanUp } from '../../../lib/dispatch/clean-up.ts';
import { cancelRun } from '../../../lib/dispatch/cancel.ts';
import { changeRun } from '../../../lib/dispatch/change-run.ts';
import { keepJar } from '../../../lib/dispatch/keep-jar.ts';
import { callbackOf } from '../../../lib/run/callbacks.ts';
import { updateAttempt, without } from '../../../lib/run/machine.ts';
import type { Attempt, EndedRun, HasAttempt, RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from './stepping.ts';

let stepping: Stepping;
beforeEach(() => {
  stepping = new Stepping();
});

const KEY = { key: 'word-count', policy: 'queue' } as const;
type Ended = EndedRun & HasAttempt;
function cleaning(change: Partial<RunRecord> = {}, attempt: Partial<Attempt> = {}): Ended {
  const run = runIn('cleaning', 60_000);
  const held = { ...without(run, 'keepUntil'), job: { ...run.job, concurrency: KEY }, ...change } as Ended;
  stepping.locks.holders.set('word-count', held.runId);
  return updateAttempt(held as never, attempt);
}
async function stands(run: Ended): Promise<void> {
  const cluster = { namespace: run.job.namespace, clusterId: run.attempts[0].clusterId, dependents: [] };
  const owner = { kind: 'run', runId: run.runId, attempt: 1, ledger: 'ledger' } as const;
  await stepping.clusters.apply(cluster as never, owner);
  stepping.clusters.calls.length = 0;
}
const take = (run: EndedRun) => cleanUp(run, stepping.deps);
const isLocked = () => stepping.locks.holders.size > 0;

describe('the cluster of a run that has ended', () => {
  it('goes, and the run is closed when nothing is left', async () => {
    const run = cleaning();
    await stands(run);
    const { record, wait } = await take(run);
    expect([record.state, wait, isLocked()]).toEqual(['closed', 0, false]);
    expect(record.attempts[0]?.removalVerifiedAt).toBe(stepping.now);
    expect(stepping.clusters.calls).toEqual(['remains', 'remove', 'remains']);
  });

  it('is looked at again while something is left, and the key stays taken', async () => {
    const run = cleaning();
    await stands(run);
    stepping.clusters.looksToGo = 5;
    const { record, wait } = await take(run);
    expect([record, wait > 0, isLocked()]).toEqual([run, true, true]);
    const remains = [`Deployment/${run.attempts[0].clusterId}`];
    expect(stepping.logged).toEqual([`info removing ${JSON.stringify({ runId: run.runId, remains })}`]);
  });

  it.each<[string, (run: Ended) => EndedRun]>([
    ['was seen to go', (run) => updateAttempt(run as never, { removalVerifiedAt: 1 })],
    ['never was', (run) => ({ ...run, attempts: [] })],
  ])('that %s is not asked for', async (_, change) => {
    const { record } = await take(change(cleaning()));
    expect([record.state, stepping.clusters.calls, isLocked()]).toEqual(['closed', [], false]);
  });

  it('that is kept stays, lets nothing begin, and leaves its key once its job is over', async () => {
    const outcome = { ...runIn('cleaning', 0).outcome, flinkState: undefined } as never;
    const run = cleaning({ keepUntil: stepping.now + 1_000, outcome });
    const { record, wait } = await take(run);
    expect([record.state, wait, isLocked()]).toEqual(['cleaning', 1_000, true]);
    expect(record.attempts[0]?.startRevokedAt).toBe(stepping.now);
    expect(stepping.clusters.calls).toEqual(['withdraw']);
    const over = { ...runIn('cleaning', 0).outcome, flinkState: 'FAILED' };
    await take(cleaning({ keepUntil: stepping.now + 1_000, outcome: over }));
    expect(isLocked()).toBe(false);
  });

  it('that is kept for long is looked at every quarter of an hour', async () => {
    expect((await take(cleaning({ keepUntil: stepping.now + 60 * 60_000 }))).wait).toBe(15 * 60_000);
  });

  it.each([
    [0, false],
    [-1, true],
  ])('whose permit was withdrawn %i ms after its end is asked for again: %s', async (after, again) => {
    const run = cleaning({ keepUntil: stepping.now + 1_000 });
    const withdrawn = updateAttempt(run as never, { startRevokedAt: run.outcome.at + after }) as Ended;
    const { record } = await take(withdrawn);
    expect(stepping.clusters.calls).toEqual(again ? ['withdraw'] : []);
    expect(record === withdrawn).toBe(!again);
  });

  it('goes when its time is over', async () => {
    const run = cleaning({ keepUntil: stepping.now });
    expect((await take(run)).record.state).toBe('closed');
  });

  it('has its time from when its end was told', () => {
    const ended = runIn('ended', 0);
    const keeps = { ...ended, job: { ...ended.job, afterEnd: { keepCluster: 'always', ttl: 5 } } } as EndedRun;
    expect(beginCleanUp(keeps, 7)).toMatchObject({ wait: 0, record: { state: 'cleaning', keepUntil: 12 } });
    const goes = { ...ended, job: { ...ended.job, afterEnd: { keepCluster: 'never', ttl: 5 } } } as EndedRun;
    expect(beginCleanUp(without(goes, 'keepUntil'), 7).record).not.toHaveProperty('keepUntil');
  });

  it.each([
    ['unknown', ['ConfigMap/ha']],
    ['failed', []],
  ] as const)('leaves what high availability keeps where the end is %s: %j', async (state, left) => {
    const run = cleaning({ outcome: { ...runIn('cleaning', 0).outcome, state } });
    await stands(run);
    const ref = { namespace: 'flink', clusterId: run.attempts[0].clusterId };
    stepping.clusters.addHighAvailability(ref, 'ha');
    await take(run);
    expect(await stepping.clusters.remains(ref)).toEqual(left);
  });
});

describe('tasks that wait for a run that is closed', () => {
  it('keep it open until they are told, for a while', async () => {
    const callbacks = [callbackOf('a token')];
    const { outcome } = runIn('cleaning', 0);
    const run = cleaning({ callbacks, outcome: { ...outcome, at: stepping.now } });
    const { record, wait } = await take(run);
    expect([record.state, wait > 0, isLocked()]).toEqual(['cleaning', true, false]);
    stepping.now += 15 * 60_000;
    expect((await take(run)).record.state).toBe('closed');
    expect(stepping.deadLetters.letters).toHaveLength(1);
  });
});

describe('a run whose cluster cannot be reached any more', () => {
  it('is closed without proof, which a stream says', async () => {
    const run = cleaning();
    const stream = { ...run, job: { ...run.job, state: {} } } as unknown as Ended;
    const stepError = { since: 0, count: 1, reason: 'ClusterUnavailable', message: 'away' } as const;
    const closed = await abandon({ ...stream, stepError }, stepping.deps);
    const message = 'closed without proof that its cluster is gone';
    expect(closed).toMatchObject({ state: 'closed', stateUnknown: { message: `${message}: away` } });
    expect([isLocked(), stepping.counted]).toEqual([false, ['RunsAbandoned 1']]);
    expect((await abandon(stream, stepping.deps)).stateUnknown?.message).toBe(`${message}: no reason known`);
    expect(await abandon(run, stepping.deps)).not.toHaveProperty('stateUnknown');
    expect(await abandon({ ...stream, attempts: [] }, stepping.deps)).not.toHaveProperty('stateUnknown');
    expect(stepping.logged[0]).toMatch(/^error closed without proof that its cluster is gone .*"message":"away"/);
  });
});

describe('a request to cancel', () => {
  const request = { by: 'a person', reason: 'JobCanceled' } as const;
  const cancel = (run: Pick<RunRecord, 'runId'>) => cancelRun(run.runId, request, stepping.deps);
  const running = () => runIn('running', 0) as RunRecord;

  it('is written, and takes the place of one to stop with state; the first stands', async () => {
    const stopRequested = { mode: 'last-state', at: 0, by: 'another', reason: 'JobCanceled' } as const;
    await stepping.ledger.create({ ...running(), stopRequested });
    expect(await cancel(running())).toBe(true);
    const stored = await stepping.stored(running());
    expect(stored.cancelRequested).toEqual({ at: stepping.now, ...request });
    expect(stored).not.toHaveProperty('stopRequested');
    const { runId, step } = running();
    expect(stepping.sent).toEqual([{ message: { version: 1, runId, step: step.number }, delay: 0 }]);
    stepping.now += 1;
    expect(await cancel(running())).toBe(true);
    expect([(await stepping.stored(running())).cancelRequested?.at, stepping.sent.length]).toEqual([
      stepping.now - 1,
      1,
    ]);
  });

  it('is none of a run that has ended, or that nobody knows', async () => {
    await stepping.ledger.create(cleaning());
    expect([await cancel(cleaning()), await cancel({ runId: runIdFor('none') })]).toEqual([false, false]);
    expect([stepping.sent, stepping.ledger.writes.length]).toEqual([[], 1]);
  });

  it('is written although others change the record, five times at most', async () => {
    await stepping.ledger.create(running());
    const replace = stepping.ledger.replace.bind(stepping.ledger);
    let races = 0;
    stepping.ledger.replace = (...args) => {
      races += 1;
      return races < 5 ? Promise.resolve(undefined) : replace(...args);
    };
    expect(await cancel(running())).toBe(true);
    races = -100;
    const change = (run: RunRecord): RunRecord => ({ ...run, tag: 'new' });
    expect(await changeRun(running().runId, change, stepping.deps)).toBeUndefined();
    expect(races).toBe(-95);
  });
});

describe('the kept jar of a run', () => {
  const DAY = 24 * 60 * 60_000;
  const pinned = { bucket: 'ledger', key: 'jars/sha256/a', sha256: 'a', size: 1 };
  function run(state: 'running' | 'ended', since: number, isPinned = true): RunRecord {
    const now = stepping.now;
    const one = { ...runIn(state, 0), createdAt: now - 15 * DAY, updatedAt: now - since } as RunRecord;
    return { ...one, job: { ...one.job, jar: { uri: 'u', ...(isPinned && { pinned }) } } } as RunRecord;
  }

  it.each<[string, () => RunRecord, boolean]>([
    ['every ten days', () => run('running', 5 * DAY + 1), true],
    ['not twice in ten days', () => run('running', 5 * DAY), false],
    ['not when it has ended', () => run('ended', 5 * DAY + 1), false],
    ['not when none was kept', () => run('running', 5 * DAY + 1, false), false],
    ['not before its job is known', () => ({ ...run('running', 6 * DAY), job: undefined }) as never, false],
  ])('is renewed %s', async (_, of, isKept) => {
    await keepJar(of(), stepping.deps);
    expect(stepping.kept).toEqual(isKept ? [pinned] : []);
  });

  it('holds nothing up when it cannot be renewed', async () => {
    stepping.faults.plan('keepJar', 'before', new Error('no'));
    const one = run('running', 6 * DAY);
    await keepJar(one, stepping.deps);
    expect(stepping.logged).toEqual([`warn the jar was not kept for longer {"runId":"${one.runId}","error":"no"}`]);
  });
});
