import { beforeEach, describe, expect, it } from 'vitest';
import { deploymentIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { DispatchError } from '../../../lib/core/errors.ts';
import { advance } from '../../../lib/dispatch/advance.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from './stepping.ts';

const AWAY = new DispatchError('ClusterUnavailable', 'no answer', { retryAfter: 7 });
const KEY = { key: 'word-count', policy: 'queue' } as const;

let stepping: Stepping;
beforeEach(() => {
  stepping = new Stepping();
});

function launching(change: Partial<RunRecord> = {}): RunRecord {
  const run = { ...runIn('launching', 0), step: { number: 3, dueAt: stepping.now } };
  return { ...run, job: { ...run.job, concurrency: KEY }, ...change } as RunRecord;
}

/** A step at whose beginning somebody else writes this. */
async function overtaken(theirs: RunRecord, run = launching()): Promise<void> {
  await stepping.ledger.create(run);
  stepping.locks.holders.set('word-count', run.runId);
  const read = stepping.ledger.read.bind(stepping.ledger);
  let reads = 0;
  stepping.ledger.read = async (id) => {
    const known = await read(id);
    reads += 1;
    if (reads === 1) await stepping.change(theirs);
    return known;
  };
  await advance({ version: 1, runId: run.runId, step: 3 }, stepping.deps, stepping.now + 60_000);
}
const closed = () => {
  const run = runIn('closed', 0);
  return { ...run, job: { ...run.job, concurrency: KEY } } as RunRecord;
};
const holders = () => stepping.locks.holders.size;

describe('a step that waits and that somebody else was faster than', () => {
  beforeEach(() => {
    stepping.faults.plan('target', 'before', AWAY);
  });

  it('writes nothing, and leaves a message', async () => {
    const theirs = launching({ step: { number: 8, dueAt: 0 } });
    await overtaken(theirs);
    expect((await stepping.stored(theirs)).step.number).toBe(8);
    expect(stepping.sent).toEqual([{ message: { version: 1, runId: theirs.runId, step: 4 }, delay: 7 }]);
    expect(stepping.logged.at(-1)).toBe(`info another step came first {"runId":"${theirs.runId}","look":4}`);
  });

  it('gives a lock back that it took for a run that is closed by then, and of no other run', async () => {
    await overtaken(launching({ step: { number: 8, dueAt: 0 } }));
    expect(holders()).toBe(1);
    stepping = new Stepping();
    stepping.faults.plan('target', 'before', AWAY);
    await overtaken(closed());
    expect(holders()).toBe(0);
  });
});

describe('a step that goes on and that somebody else was faster than', () => {
  it('goes on from theirs, and counts no end', async () => {
    await overtaken(launching({ step: { number: 8, dueAt: 0 } }));
    expect(stepping.counted).toEqual(['Steps 1']);
    expect(stepping.logged.filter((line) => line.startsWith('info run'))).toEqual([]);
    expect([stepping.sent, holders()]).toEqual([[], 1]);
  });

  it('gives the lock of a run that is closed by then back', async () => {
    await overtaken(closed());
    expect(holders()).toBe(0);
  });

  it('is over where the record is gone', async () => {
    const run = launching();
    await stepping.ledger.create(run);
    const read = stepping.ledger.read.bind(stepping.ledger);
    let reads = 0;
    stepping.ledger.replace = () => Promise.resolve(undefined);
    stepping.ledger.read = (id) => {
      reads += 1;
      return reads < 2 ? read(id) : Promise.resolve(undefined);
    };
    await advance({ version: 1, runId: run.runId, step: 3 }, stepping.deps, stepping.now + 60_000);
    expect(stepping.counted).toEqual(['Steps 1']);
  });
});

describe('the deployment of a run', () => {
  const deployment = {
    ...{ id: deploymentIdFor({ tenant: undefined, target: 't', namespace: 'n', name: 'a' }), generation: 1 },
  };
  const told = () => stepping.sent.filter(({ message }) => 'deployment' in message);

  it('is told of a state that is written, whether the step goes on or waits', async () => {
    const run = launching({ deployment });
    await stepping.ledger.create(run);
    await advance({ version: 1, runId: run.runId, step: 3 }, stepping.deps, stepping.now + 60_000);
    expect(told()).toEqual([{ message: { version: 1, deployment: deployment.id }, delay: 0 }]);
  });

  it.each([true, false])('is told of nothing that was not written: %s', async (waits) => {
    if (waits) stepping.faults.plan('target', 'before', AWAY);
    await overtaken(launching({ deployment, step: { number: 8, dueAt: 0 } }), launching({ deployment }));
    expect(told()).toEqual([]);
  });

  it('is told of a run that waits for its turn', async () => {
    const first = { ...runIn('running', 0), runId: runIdFor('first') };
    await stepping.ledger.create(first);
    stepping.locks.holders.set('word-count', first.runId);
    const run = { ...launching({ deployment }), state: 'accepted', attempts: [] } as RunRecord;
    await stepping.ledger.create(run);
    await advance({ version: 1, runId: run.runId, step: 3 }, stepping.deps, stepping.now + 60_000);
    expect((await stepping.stored(run)).state).toBe('waiting');
    expect(told()).toHaveLength(1);
  });
});
