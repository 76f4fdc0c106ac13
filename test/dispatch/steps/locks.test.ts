import { beforeEach, describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { lockOf, releaseLock } from '../../../lib/dispatch/lock.ts';
import type { Attempt, QueuedRun, RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { HOLDER, Locking, queued } from './locking.ts';

let stepping: Locking;
beforeEach(() => {
  stepping = new Locking();
});

const take = (run: QueuedRun) => stepping.take(run);
const held = (by: Partial<RunRecord> | undefined) => stepping.held(by);
const holder = () => stepping.locks.holders.get('word-count');

describe('a lock that its run has left behind', () => {
  it.each<[string, Partial<RunRecord> | undefined]>([
    ['closed', { ...runIn('closed', 0), runId: HOLDER }],
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
    await stepping.ledger.create(run);
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
  const again = () => queued(undefined, { state: 'waiting', attempts: [last] });

  it('waits until nothing is left of the last one', async () => {
    const run = again();
    const ref = { namespace: 'flink', clusterId: last.clusterId };
    stepping.clusters.addHighAvailability(ref, 'ha');
    stepping.clusters.remove = () => Promise.resolve();
    const { record, wait } = await take(run);
    expect([record, wait]).toEqual([run, 2_000]);
    const long = { reason: 'ClusterDeleted', message: 'm', since: 0, until: 0 } as const;
    expect((await take({ ...run, waiting: long })).wait).toBe(2_000);
    stepping.clusters.remains = () => Promise.resolve([]);
    const gone = await take(run);
    expect(gone.record.attempts[0]?.removalVerifiedAt).toBe(stepping.now);
    expect([gone.record.state, gone.wait]).toEqual(['waiting', 0]);
    expect((await take(gone.record as QueuedRun)).record.attempts).toHaveLength(2);
  });
});

describe('a lock that is given back', () => {
  const next = runIdFor('next');
  const ofTenant = (tenant?: string) => queued('queue', { ...(tenant !== undefined && { tenant }) });

  it('is that of the run’s own tenant', async () => {
    const { runId } = ofTenant();
    stepping.locks.holders.set('word-count', runId).set('["one","word-count"]', runId);
    await releaseLock(ofTenant('one'), stepping.deps);
    expect([...stepping.locks.holders.keys()]).toEqual(['word-count']);
    await releaseLock(ofTenant(), stepping.deps);
    expect(stepping.locks.holders.size).toBe(0);
  });

  it('is told to who is next, if that is a run, and another one', async () => {
    stepping.locks.lines.set('word-count', [{ runId: next, since: 1 }]);
    await releaseLock(ofTenant(), stepping.deps);
    expect(stepping.sent).toEqual([]);
    await stepping.ledger.create({ ...ofTenant(), runId: next, step: { number: 4, dueAt: 0 } });
    await releaseLock(ofTenant(), stepping.deps);
    expect(stepping.sent).toEqual([{ message: { version: 1, runId: next, step: 5 }, delay: 0 }]);
    stepping.locks.release = () => Promise.resolve(next);
    await releaseLock({ ...ofTenant(), runId: next }, stepping.deps);
    expect(stepping.sent).toHaveLength(1);
  });

  it('is none where the run has no key, or no job yet', async () => {
    stepping.locks.release = () => Promise.reject(new Error('asked'));
    await releaseLock(queued(undefined), stepping.deps);
    await releaseLock({ ...queued(undefined), job: undefined } as never, stepping.deps);
    expect(lockOf(undefined)).toBeUndefined();
  });
});
