import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { acquireLock } from '../../../lib/dispatch/acquire-lock.ts';
import type { Attempt, QueuedRun, RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from './stepping.ts';

type Policy = 'allow' | 'queue' | 'forbid' | 'replace';
const HOLDER = runIdFor('holder');
const upload = { kind: 'jar-upload', bucket: 'jars', key: 'a.jar', sequencer: 'B', eventTime: 0 } as const;

let stepping: Stepping;
beforeEach(() => {
  stepping = new Stepping();
});

function queued(policy: Policy | undefined, change: Partial<RunRecord> = {}): QueuedRun {
  const run = { ...runIn('accepted', 0), attempts: [], source: upload };
  const concurrency = policy && { key: 'word-count', policy };
  return { ...run, job: { ...run.job, concurrency }, ...change } as QueuedRun;
}
async function held(by: Partial<RunRecord> | undefined): Promise<void> {
  stepping.locks.holders.set('word-count', HOLDER);
  const run = { ...runIn('running', 0), runId: HOLDER, source: { ...upload, sequencer: 'A' } };
  const concurrency = { key: 'word-count', policy: 'queue' };
  if (by !== undefined) await stepping.ledger.create({ ...run, job: { ...run.job, concurrency }, ...by } as RunRecord);
}
const take = (run: QueuedRun) => acquireLock(run, stepping.deps);
const holder = () => stepping.locks.holders.get('word-count');
const asked = async () => (await stepping.stored({ runId: HOLDER })).cancelRequested;

describe('a run whose turn has come', () => {
  it.each<[Policy | undefined, boolean]>([
    [undefined, false],
    ['allow', false],
    ['queue', true],
    ['forbid', true],
    ['replace', true],
  ])('is launched, with %s: it has the lock: %s', async (policy, hasLock) => {
    const run = queued(policy);
    const { record, wait } = await take(run);
    expect([record.state, wait, holder() === run.runId]).toEqual(['launching', 0, hasLock]);
  });

  it.each<[Policy | undefined]>([[undefined], ['allow']])('is launched beside another one, with %s', async (policy) => {
    await held({});
    expect((await take(queued(policy))).record.state).toBe('launching');
    expect(holder()).toBe(HOLDER);
  });

  it('waits until its back-off is over, and then goes on', async () => {
    const waiting = { reason: 'ClusterDeleted', message: 'm', since: 0, until: stepping.now + 1 } as const;
    const run = queued('queue', { state: 'waiting', waiting } as Partial<RunRecord>);
    expect(await take(run)).toEqual({ record: run, wait: 1 });
    stepping.now += 1;
    expect((await take(run)).record.state).toBe('launching');
  });

  it('is over when somebody has canceled it, lock or not', async () => {
    await held({});
    const cancelRequested = { at: 0, by: 'a person', reason: 'JobCanceled' } as const;
    const { record } = await take(queued('queue', { cancelRequested }));
    const message = 'Canceled by a person before it was launched';
    expect(record.outcome).toMatchObject({
      state: 'canceled',
      reason: 'JobCanceled',
      message,
      at: stepping.now,
      evidence: [],
    });
    expect(stepping.locks.lines.size).toBe(0);
  });
});

describe('a run of a key that another one holds', () => {
  const message = `run ${HOLDER} of the same concurrency key is running`;

  it('waits until it is told, with queue', async () => {
    await held({});
    const { record, wait, isTold } = await take(queued('queue'));
    const now = stepping.now;
    expect(record).toMatchObject({
      state: 'waiting',
      waiting: { reason: 'ConcurrencyForbidden', message, since: now, until: now },
    });
    expect([wait, isTold, stepping.sent, await asked()]).toEqual([15 * 60_000, true, [], undefined]);
    const { runId, createdAt } = record;
    expect(stepping.locks.lines.get('word-count')).toEqual([{ runId, since: createdAt }]);
    stepping.now += 1;
    expect((await take(record as QueuedRun)).record).toMatchObject({ waiting: { since: now, until: now + 1 } });
  });

  it('does not wake the other one, which waits for another attempt', async () => {
    await held({ ...runIn('waiting', 0), runId: HOLDER } as Partial<RunRecord>);
    expect((await take(queued('queue'))).record.state).toBe('waiting');
    expect(stepping.sent).toEqual([]);
  });

  it('is made beside it where its program waits for a permit', async () => {
    await held({});
    expect((await take(queued('queue', { prepared: {} } as Partial<RunRecord>))).record.state).toBe('launching');
    expect(holder()).toBe(HOLDER);
  });

  it('is refused, with forbid, and does not stand in the line', async () => {
    await held({});
    const { record } = await take(queued('forbid'));
    expect(record.outcome).toMatchObject({ state: 'rejected', reason: 'ConcurrencyForbidden', message, evidence: [] });
    expect(stepping.locks.lines.get('word-count') ?? []).toEqual([]);
  });

  it('cancels it, with replace, and looks often', async () => {
    await held({});
    const run = queued('replace');
    const { record, wait, isTold } = await take(run);
    expect([record.state, wait, isTold]).toEqual(['waiting', 2_000, undefined]);
    expect(await asked()).toEqual({ at: stepping.now, by: `run ${run.runId}`, reason: 'ReplacedByNewerRun' });
  });

  it('waits for one that has ended already, with replace', async () => {
    await held({ ...runIn('cleaning', 0), runId: HOLDER } as Partial<RunRecord>);
    expect((await take(queued('replace'))).record.state).toBe('waiting');
    expect(await asked()).toBeUndefined();
  });

  it.each<[string, Partial<RunRecord>, boolean]>([
    ['of an older upload', { source: { ...upload, sequencer: '9' } }, true],
    [
      'of an older upload that is done again',
      { source: { ...upload, sequencer: '9' }, again: { of: HOLDER, exactly: false } },
      false,
    ],
    ['of a newer upload', { source: { ...upload, sequencer: 'B' } }, false],
    ['of another key', { source: { ...upload, sequencer: '9', key: 'b.jar' } }, false],
    ['of another bucket', { source: { ...upload, sequencer: '9', bucket: 'b' } }, false],
    [
      'of an upload that is not numbered',
      { source: { kind: 'jar-upload', bucket: 'jars', key: 'a.jar', eventTime: 0 } },
      false,
    ],
    ['of a message', { source: { kind: 'message', queueArn: 'q', messageId: 'm' } }, false],
  ])('%s replaces nothing: %s', async (_, change, isLate) => {
    await held({});
    const { record } = await take(queued('replace', change));
    const late = `An event of an older upload than that of run ${HOLDER}`;
    expect(record.outcome?.message).toBe(isLate ? late : undefined);
    if (isLate) expect(record.outcome).toMatchObject({ state: 'canceled', reason: 'ReplacedByNewerRun', evidence: [] });
    expect((await asked()) === undefined).toBe(isLate);
  });

  it.each<[string, RunRecord['source']]>([
    ['a message', { kind: 'message', queueArn: 'q', messageId: 'm' }],
    ['an upload that is not numbered', { kind: 'jar-upload', bucket: 'jars', key: 'a.jar', eventTime: 0 }],
  ])('replaces that of %s, however old its own upload is', async (_, source) => {
    await held({ source });
    const { record } = await take(queued('replace', { source: { ...upload, sequencer: '1' } }));
    expect(record.state).toBe('waiting');
  });

  it('of an older upload waits its turn, with queue', async () => {
    await held({});
    const { record } = await take(queued('queue', { source: { ...upload, sequencer: '1' } }));
    expect(record.state).toBe('waiting');
  });
});

describe('a lock that its run has left behind', () => {
  it.each<[string, Partial<RunRecord> | undefined]>([
    ['closed', { ...runIn('closed', 0), runId: HOLDER } as Partial<RunRecord>],
    ['without a record', undefined],
  ])('is taken away, where that is %s, and asked for again', async (_, by) => {
    await held(by);
    const run = queued('queue');
    const release = stepping.locks.release.bind(stepping.locks);
    const released: unknown[] = [];
    stepping.locks.release = (lock, whose) => {
      released.push(whose);
      return release(lock, whose);
    };
    expect(await take(run)).toEqual({ record: run, wait: 0 });
    expect([holder(), stepping.sent]).toEqual([undefined, []]);
    expect(released).toEqual([{ runId: HOLDER, since: by?.createdAt ?? 0 }]);
    expect((await take(run)).record.state).toBe('launching');
  });
});

describe('a run that is not the first in line', () => {
  const first = { runId: HOLDER, since: 0 };

  it.each([
    ['waiting', 1],
    ['accepted', 0],
  ] as const)('tells the first one, which is %s: %i messages', async (state, count) => {
    const run = { ...runIn(state, 0), runId: HOLDER, step: { number: 4, dueAt: 0 } };
    await stepping.ledger.create(run as RunRecord);
    stepping.locks.lines.set('word-count', [first]);
    expect((await take(queued('queue'))).record.state).toBe('waiting');
    expect(stepping.sent).toEqual([{ message: { version: 1, runId: HOLDER, step: 5 }, delay: 0 }].slice(0, count));
  });
});

it('a place in the line that its run has left behind is taken away as it stands there', async () => {
  const released: unknown[] = [];
  stepping.locks.lines.set('word-count', [{ runId: HOLDER, since: 3 }]);
  stepping.locks.release = (_, whose) => {
    released.push(whose);
    return Promise.resolve(undefined);
  };
  await take({ ...queued('queue'), createdAt: 5 });
  expect(released).toEqual([{ runId: HOLDER, since: 3 }]);
});

describe('the next attempt', () => {
  const last: Attempt = {
    number: 1,
    clusterId: runIn('launching', 0).attempts[0].clusterId,
    jobId: runIn('launching', 0).attempts[0].jobId,
    launchedAt: 0,
  };
  const again = () => queued(undefined, { state: 'waiting', attempts: [last] } as Partial<RunRecord>);

  it('waits until nothing is left of the last one', async () => {
    const run = again();
    const ref = { namespace: 'flink', clusterId: last.clusterId };
    stepping.clusters.addHighAvailability(ref, 'ha');
    stepping.clusters.remove = () => Promise.resolve();
    const { record, wait } = await take(run);
    expect([record, wait]).toEqual([run, 2_000]);
    const long = { reason: 'ClusterDeleted', message: 'm', since: 0, until: 0 } as const;
    expect((await take({ ...run, waiting: long } as QueuedRun)).wait).toBe(2_000);
    stepping.clusters.remains = () => Promise.resolve([]);
    const gone = await take(run);
    expect(gone.record.attempts[0]?.removalVerifiedAt).toBe(stepping.now);
    expect([gone.record.state, gone.wait]).toEqual(['waiting', 0]);
    expect((await take(gone.record as QueuedRun)).record.attempts).toHaveLength(2);
  });
});
