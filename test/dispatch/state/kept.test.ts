import { beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../../lib/core/errors.ts';
import type { AttemptContext } from '../../../lib/dispatch/attempt-context.ts';
import { checkRestore } from '../../../lib/dispatch/state/check-restore.ts';
import { forgetTries } from '../../../lib/dispatch/state/forget-tries.ts';
import { withNewestState } from '../../../lib/dispatch/state/newest-state.ts';
import { currentAttempt, updateAttempt } from '../../../lib/run/machine.ts';
import type { ActiveRun, Attempt, EndedRun, RunRecord } from '../../../lib/run/record.ts';
import { savepointTry } from '../../../lib/run/stop-request.ts';
import { runIn } from '../../verdict/observations.ts';
import { Stepping } from '../steps/stepping.ts';
import { HOW, stream } from './streaming.ts';

const DENIED = new DispatchError('StateStorageDenied', 'no rights');

let stepping: Stepping;
beforeEach(() => {
  stepping = new Stepping();
});

function contextOf(run: ActiveRun): AttemptContext<ActiveRun> {
  const attempt = currentAttempt(run);
  return {
    run,
    job: run.job,
    attempt,
    ref: { namespace: 'flink', clusterId: attempt.clusterId },
    target: stepping.target,
    deps: stepping.deps,
  };
}
const { jobId } = currentAttempt(runIn('running', 0));
const complete = (path: string, checkpointId: number) =>
  void stepping.storage.complete.set(path, { at: checkpointId, bytes: 1, checkpointId });
const checkpoint = (number: number) => `s3://state/chk/${jobId}/chk-${number}`;
const found = async (run: ActiveRun) => (await withNewestState(contextOf(run))) as RunRecord;
const snapshotOf = ({ attempts }: RunRecord) => attempts.at(-1)?.snapshot;
const TOLD = { kind: 'checkpoint', path: checkpoint(3) } as const;

describe('the newest state of an attempt that is gone', () => {
  it('is the highest of its checkpoints and savepoints', async () => {
    complete(checkpoint(9), 9);
    complete(checkpoint(10), 10);
    const { runId } = stream();
    expect(snapshotOf(await found(stream()))).toEqual({
      ...{ kind: 'checkpoint', path: checkpoint(10), checkpointId: 10, run: runId, at: 10 },
    });
    const { directory } = savepointTry(stream(), 1, HOW);
    complete(`${directory}sp`, 11);
    expect(snapshotOf(await found(stream({}, { stopTries: 1 })))).toMatchObject({
      kind: 'savepoint',
      format: 'NATIVE',
    });
    complete(checkpoint(12), 12);
    expect(snapshotOf(await found(stream({}, { stopTries: 1 })))?.path).toBe(checkpoint(12));
    stepping.storage.complete.delete(checkpoint(12));
    const from = { kind: 'savepoint', path: 'p', checkpointId: 11 } as const;
    expect(snapshotOf(await found(stream({ restoredFrom: from }, { stopTries: 1 })))?.path).toBe(checkpoint(10));
  });

  it('is what Flink told, while that is there', async () => {
    complete(checkpoint(3), 3);
    complete(checkpoint(4), 4);
    const run = stream({ snapshot: TOLD });
    expect(await found(run)).toBe(run);
    stepping.storage.complete.delete(checkpoint(3));
    expect(snapshotOf(await found(run))?.path).toBe(checkpoint(4));
    stepping.storage.complete.clear();
    expect(snapshotOf(await found({ ...run, stateUnknown: { message: 'm' } }))).toBeUndefined();
    expect(await found({ ...run, stateUnknown: { message: 'm' } })).not.toHaveProperty('stateUnknown');
  });

  const outcome = (change: Partial<NonNullable<Attempt['outcome']>>) =>
    ({
      outcome: { state: 'failed', reason: 'JobFailed', message: 'm', at: 0, evidence: [], ...change },
    }) as Partial<Attempt>;
  it.each<[string, () => ActiveRun]>([
    ['of a job without state', () => runIn('running', 0)],
    ['of one that may not begin yet', () => stream({}, { prepared: {} })],
    ['of one that has finished', () => stream(outcome({ flinkState: 'FINISHED' }))],
  ])('is not looked for %s', async (_, run) => {
    complete(checkpoint(9), 9);
    const asked = run();
    expect(await found(asked)).toBe(asked);
    expect(stepping.storage.asked).toEqual([]);
  });

  it('is looked for of one that was stopped with a savepoint', async () => {
    complete(checkpoint(9), 9);
    const stopped = outcome({ flinkState: 'FINISHED', reason: 'StoppedWithSavepoint' });
    expect(snapshotOf(await found(stream(stopped)))?.path).toBe(checkpoint(9));
  });

  it('is not known where a program was begun again, unless a savepoint is newer', async () => {
    complete(checkpoint(9), 9);
    const run = await found(stream({ beganAgain: true }));
    expect([run.stateUnknown?.message, snapshotOf(run)]).toEqual([expect.stringContaining(checkpoint(9)), undefined]);
    complete(`${savepointTry(stream(), 1, HOW).directory}sp`, 11);
    const stopped = await found(stream({ beganAgain: true }, { stopTries: 1 }));
    expect([stopped.stateUnknown, snapshotOf(stopped)?.kind]).toEqual([undefined, 'savepoint']);
  });

  it('is looked for again where the storage does not answer', async () => {
    stepping.storage.faults.plan('checkpoints', 'before', new DispatchError('StateStorageUnavailable', 'away'));
    await expect(found(stream())).rejects.toThrow('away');
  });

  it.each<[string, Partial<Attempt>, boolean]>([
    ['that has run', {}, true],
    ['of which Flink told', { snapshot: TOLD }, false],
    ['whose JobManager never started', { runningAt: undefined, jobManager: undefined } as never, false],
    ['whose JobManager had started', { runningAt: undefined } as never, true],
    ['that was never made', { runningAt: undefined, jobManager: undefined, createdAt: undefined } as never, false],
    ...['cluster-deleted', 'stopped-by-cancel', 'no-look'].map((rule): [string, Partial<Attempt>, boolean] => {
      return [
        `that ended by ${rule}`,
        { runningAt: undefined, jobManager: undefined, ...outcome({ rule }) } as never,
        true,
      ];
    }),
    [
      'whose end is not known',
      { runningAt: undefined, jobManager: undefined, ...outcome({ state: 'unknown' }) } as never,
      true,
    ],
  ])('may not be read, of one %s: it is unknown: %s', async (_, attempt, isUnknown) => {
    for (const method of ['checkpoints', 'look'] as const) stepping.storage.faults.plan(method, 'before', DENIED);
    const run = await found(stream(attempt));
    expect(run.stateUnknown).toEqual(isUnknown ? { message: 'no rights' } : undefined);
  });
});

describe('what an attempt starts from', () => {
  const from = { kind: 'savepoint', path: 's3://state/sp/1' } as const;
  const check = (run: ActiveRun) => checkRestore(run, stepping.deps);

  it('has to be there', async () => {
    await expect(check(stream({ restoredFrom: from }))).rejects.toMatchObject({ reason: 'StateUnreadable' });
    complete(from.path, 1);
    await check(stream({ restoredFrom: from }));
    await check(stream());
    await check(updateAttempt(runIn('running', 0), { restoredFrom: { ...from, path: 'gone' } }));
    expect(stepping.storage.asked).toHaveLength(2);
  });

  it('is for Flink to look at where nobody else may', async () => {
    stepping.storage.faults.plan('look', 'before', DENIED);
    await check(stream({ restoredFrom: from }));
    expect(stepping.logged[0]).toMatch(
      /^warn what the job starts from was not looked at .*sp\/1","error":"no rights"}/,
    );
    stepping.storage.faults.plan('look', 'before', new DispatchError('StateStorageUnavailable', 'away'));
    await expect(check(stream({ restoredFrom: from }))).rejects.toThrow('away');
  });
});

describe('savepoints of tries', () => {
  it('go when nobody knows of them', async () => {
    const tries = [1, 2, 3].map((ordinal) => savepointTry(stream(), ordinal, HOW).directory);
    for (const [index, directory] of tries.entries()) complete(`${directory}sp`, index);
    const run = stream({ snapshot: { kind: 'savepoint', path: `${tries[1] ?? ''}sp` } }, { stopTries: 3 });
    stepping.storage.faults.plan('remove', 'before', DENIED);
    await forgetTries(run as unknown as EndedRun, stepping.deps);
    expect([...stepping.storage.complete.keys()]).toEqual([`${tries[1] ?? ''}sp`, `${tries[2] ?? ''}sp`]);
    const fields = { runId: run.runId, directory: tries[2], error: 'no rights' };
    expect(stepping.logged).toEqual([`warn a savepoint that nobody needs was not removed ${JSON.stringify(fields)}`]);
  });
});
