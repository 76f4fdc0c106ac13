import { describe, expect, it } from 'vitest';
import type { StatePlan } from '../../lib/job/job.ts';
import { afterRemoval } from '../../lib/run/after-removal.ts';
import type { Attempt, HasAttempt, Outcome, QueuedRun } from '../../lib/run/record.ts';
import { savepointTry } from '../../lib/run/stop-request.ts';
import type { Snapshot } from '../../lib/state/snapshot.ts';
import { NOW, runIn } from '../verdict/observations.ts';

const PLAN: StatePlan = {
  ...{ upgradeMode: 'savepoint', fallback: 'none', format: 'NATIVE', savepointDeadline: 60_000 },
  ...{ savepointDirectory: 's3://b/sp', probation: 1, rollback: 'automatic', history: { count: 1, age: 1 } },
};
const crashed: Outcome = {
  ...{ state: 'failed', reason: 'JobManagerCrashed', message: 'It crashed', at: NOW - 7, evidence: ['exit code 1'] },
};

type Gone = QueuedRun & HasAttempt;

/** A stream whose attempt ran, and is gone. */
function gone(attempt: Partial<Attempt> = { outcome: crashed }, changes: Partial<Gone> = {}, plan = PLAN): Gone {
  const { attempts, job, ...rest } = runIn('waiting', 5_000);
  const [first] = attempts as HasAttempt['attempts'];
  return {
    ...rest,
    job: { ...job, state: plan },
    attempts: [{ ...first, runningAt: NOW - 100, ...attempt }],
    ...changes,
  };
}

function stopping(attempt: Partial<Attempt>, fallback: 'none' | 'last-state' = 'none', retries = 3): Gone {
  const run = gone(attempt);
  return {
    ...run,
    job: { ...run.job, retry: { attempts: retries, backoff: 10_000 } },
    stopTries: 1,
    stopRequested: {
      ...{ at: NOW - 50, by: 'deployment x', reason: 'ReplacedByNewerRun', mode: 'savepoint', until: NOW, fallback },
      savepoint: savepointTry(run, 1, { format: 'NATIVE', drain: false }),
    },
  };
}

describe('a stream whose attempt is gone', () => {
  it('goes on where its newest state is known', () => {
    const run = gone();
    expect(afterRemoval(run, NOW)).toBe(run);
  });

  it('ends where nobody knows its newest state, with why and with what its attempt failed of', () => {
    const run = gone({ outcome: crashed }, { stateUnknown: { message: 'the bucket is gone' } });
    const ended = afterRemoval(run, NOW);
    expect(ended).toMatchObject({
      state: 'ended',
      outcome: { state: 'failed', reason: 'StateUnknown', at: NOW, evidence: ['exit code 1'], rule: 'attempt-gone' },
    });
    expect(ended.outcome?.message).toMatch(/^It crashed; .*the bucket is gone$/);
    const untold = afterRemoval({ ...gone({}), stateUnknown: { message: 'x' } }, NOW);
    expect(untold.outcome).toMatchObject({ reason: 'StateUnknown', evidence: [] });
    expect(untold.outcome?.message).toMatch(/^The attempt failed; /);
  });

  it('goes on all the same where it begins without state, and so does what is no stream', () => {
    const stateUnknown = { message: 'the bucket is gone' };
    const stateless = gone({}, { stateUnknown }, { ...PLAN, upgradeMode: 'stateless' });
    expect(afterRemoval(stateless, NOW)).toBe(stateless);
    const { attempts, ...rest } = runIn('waiting', 0);
    const plain: Gone = { ...rest, attempts, stateUnknown };
    expect(afterRemoval(plain, NOW)).toBe(plain);
  });
});

describe('a stream that was lost while it was to stop with a savepoint', () => {
  const savepoint = (run: Gone, change: Partial<Snapshot> = {}): Snapshot => {
    const path = `${savepointTry(run, 1, { format: 'NATIVE', drain: false }).directory}savepoint-1a2b`;
    return { kind: 'savepoint', path, ...change };
  };

  it('has stopped where it left a complete savepoint of that stop', () => {
    const snapshot = savepoint(gone());
    const ended = afterRemoval(stopping({ outcome: crashed, snapshot }), NOW);
    expect(ended).toMatchObject({
      state: 'ended',
      outcome: { state: 'succeeded', reason: 'StoppedWithSavepoint', at: NOW },
    });
    expect(ended.outcome?.evidence.join()).toContain(snapshot.path);
    expect(ended.outcome?.message).toMatch(/deployment x .*savepoint-1a2b; then it was lost: It crashed$/);
    expect(afterRemoval(stopping({ snapshot }), NOW).outcome?.message).toMatch(/savepoint-1a2b$/);
    const twice = { ...stopping({ snapshot }), stopTries: 2 };
    expect(afterRemoval(twice, NOW).outcome?.reason).toBe('StoppedWithSavepoint');
  });

  it.each([
    ['a checkpoint', savepoint(gone(), { kind: 'checkpoint' })],
    ['a savepoint of another run', savepoint(gone(), { path: 's3://b/sp/other/savepoint-1a2b' })],
  ])('has not stopped with %s: it has another attempt', (_what, snapshot) => {
    expect(afterRemoval(stopping({ outcome: crashed, snapshot }), NOW)).toMatchObject({
      state: 'waiting',
      waiting: { reason: 'JobManagerCrashed', message: 'It crashed', since: NOW - 7, until: NOW + 10_000 },
    });
  });

  it('is canceled where its newest checkpoint will do', () => {
    expect(afterRemoval(stopping({ outcome: crashed }, 'last-state'), NOW)).toMatchObject({
      state: 'ended',
      outcome: { state: 'canceled', reason: 'ReplacedByNewerRun', at: NOW },
    });
  });

  it('ends as its attempt did where there is no other', () => {
    expect(afterRemoval(stopping({ outcome: crashed }, 'none', 1), NOW)).toMatchObject({
      state: 'ended',
      outcome: crashed,
    });
  });

  it('goes on where its attempt did not fail', () => {
    const run = stopping({});
    expect(afterRemoval(run, NOW)).toBe(run);
  });
});
