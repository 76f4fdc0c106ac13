import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { currentAttempt, without } from '../../lib/run/machine.ts';
import type { ActiveRun, StopRequest } from '../../lib/run/record.ts';
import { cancelOf, directoriesOfTries, savepointStop, savepointTry } from '../../lib/run/stop-request.ts';
import type { StatePlan } from '../../lib/job/job.ts';
import { NOW, runIn } from '../verdict/observations.ts';

const PLAN: StatePlan = {
  ...{ upgradeMode: 'savepoint', fallback: 'none', format: 'NATIVE', savepointDeadline: 60_000 },
  ...{ savepointDirectory: 's3://b/sp/', history: { count: 1, age: 1 } },
  ...{ probation: 1, rollback: 'automatic' },
};
const plain = runIn('running', 5_000);
const stream: ActiveRun = { ...plain, job: { ...plain.job, state: PLAN } };
const how = { format: 'NATIVE', drain: false } as const;
const savepoint = savepointTry(stream, 1, how);
const asked = { at: NOW, by: 'x', reason: 'ReplacedByNewerRun' } as const;

function stopping(run: ActiveRun, fallback: 'none' | 'last-state' = 'none'): ActiveRun {
  const stopRequested: StopRequest = { ...asked, mode: 'savepoint', savepoint, until: NOW + 1, fallback };
  return { ...run, stopRequested, stopTries: 1 };
}

describe('a try to stop with a savepoint', () => {
  it('has one id and one directory, whoever names it', () => {
    expect(savepointTry(stream, 1, how)).toEqual(savepoint);
    expect(savepoint.triggerId).toMatch(/^[0-9a-f]{32}$/);
    expect(savepoint.directory).toBe(`s3://b/sp/${stream.runId}/${stream.runId}-1/`);
  });

  it('has others than the next one', () => {
    const next = savepointTry(stream, 2, how);
    expect(next.triggerId).not.toBe(savepoint.triggerId);
    expect(directoriesOfTries({ ...stream, stopTries: 2 })).toEqual([next.directory, savepoint.directory]);
    expect(directoriesOfTries(stream)).toEqual([]);
    expect(directoriesOfTries({ ...plain, stopTries: 1 })).toEqual([]);
  });
});

describe('a stop', () => {
  const { attempts, ...rest } = stream;
  const at = (changes: object): ActiveRun => {
    const attempt = without(attempts[0], 'runningAt');
    return { ...rest, state: 'starting', attempts: [{ ...attempt, ...changes }] };
  };

  it('with the newest checkpoint is a cancel, and one with a savepoint is none while the job runs', () => {
    expect(cancelOf({ ...stream, stopRequested: { ...asked, mode: 'last-state' } })).toEqual(asked);
    expect(cancelOf(stopping(stream))).toBeUndefined();
    expect(savepointStop(stopping(stream))?.savepoint).toEqual(savepoint);
  });

  it('is a cancel of a job that was not seen to run, unless only a savepoint will do for what an attempt before it left', () => {
    const checkpoint = { kind: 'checkpoint', path: 's3://b/chk-1', run: stream.runId } as const;
    expect(cancelOf(stopping(at({})))).toEqual(asked);
    expect(cancelOf({ ...stopping(stream), state: 'accepted', attempts: [] } as never)).toEqual(asked);
    const ofAnother = { ...checkpoint, run: runIdFor('another') };
    expect(cancelOf(stopping(at({ restoredFrom: ofAnother })))).toEqual(asked);
    expect(cancelOf(stopping(at({ restoredFrom: checkpoint })))).toBeUndefined();
    expect(cancelOf(stopping(at({ restoredFrom: checkpoint }), 'last-state'))).toEqual(asked);
  });

  it('gives way to a cancel', () => {
    const cancelRequested = { ...asked, by: 'a person' };
    expect(cancelOf({ ...stopping(stream), cancelRequested })).toEqual(cancelRequested);
    expect(savepointStop({ ...stopping(stream), cancelRequested })).toBeUndefined();
    expect(currentAttempt(stream).number).toBe(1);
  });
});
