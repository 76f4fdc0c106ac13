import { beforeEach, describe, expect, it } from 'vitest';
import type { QueuedRun, RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { HOLDER, Locking, queued, upload, type Policy } from './locking.ts';

let stepping: Locking;
beforeEach(() => {
  stepping = new Locking();
});

const held = (by: Partial<RunRecord> | undefined) => stepping.held(by);
const take = (run: QueuedRun) => stepping.take(run);
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
    const run = queued('queue', { state: 'waiting', waiting });
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
    await held({ ...runIn('waiting', 0), runId: HOLDER });
    expect((await take(queued('queue'))).record.state).toBe('waiting');
    expect(stepping.sent).toEqual([]);
  });

  it('is made beside it where its program waits for a permit', async () => {
    await held({});
    expect((await take(queued('queue', { prepared: {} }))).record.state).toBe('launching');
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
    await held({ ...runIn('cleaning', 0), runId: HOLDER });
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
