import { describe, expect, it } from 'vitest';
import { currentAttempt, hasAttempt, updateAttempt } from '../../lib/run/machine.ts';
import { isHeld, isPrepared, isSubmitted, permitted, startingFor } from '../../lib/run/prepared.ts';
import type { ActiveRun, Outcome } from '../../lib/run/record.ts';
import { afterFailure } from '../../lib/run/retry.ts';
import { inSession } from '../verdict/any-case.ts';
import { NOW, runIn } from '../verdict/observations.ts';

const plain = runIn('starting', 5_000);
const held: ActiveRun = { ...plain, prepared: { readyAt: NOW - 1_000 } };
const begun: ActiveRun = { ...plain, prepared: { readyAt: NOW - 1_000, permittedAt: NOW - 400 } };
const savepoint = { kind: 'savepoint', path: 's3://b/sp-1' } as const;

function failed(reason: Outcome['reason'], state: Outcome['state'] = 'failed'): Outcome {
  return { state, reason, message: 'why', at: NOW, evidence: [] };
}

/** Its first attempt is gone, and another one is under way. */
function again(run: ActiveRun): ActiveRun {
  const [first] = run.attempts;
  return {
    ...run,
    attempts: [
      { ...first, removalVerifiedAt: NOW },
      { ...first, number: 2 },
    ],
  };
}

describe('a run whose JobManager was prepared', () => {
  it('is one by its first attempt alone, and is held until it has its permit', () => {
    expect([held, begun, { ...held, attempts: [] as const }].map(isPrepared)).toEqual([true, true, true]);
    expect([plain, again(held)].map(isPrepared)).toEqual([false, false]);
    expect([held, begun, plain].map(isHeld)).toEqual([true, false, false]);
    expect([held, again(held), plain, inSession({}, runIn('running', 0))].map(isSubmitted)).toEqual([
      ...[true, false, false, true],
    ]);
  });

  it('may begin once, from the state that it is given then', () => {
    const now = permitted(held, savepoint, NOW);
    if (now === undefined || !hasAttempt(now)) throw new Error('no permit');
    expect(now).toMatchObject({ prepared: { readyAt: NOW - 1_000, permittedAt: NOW }, startFrom: savepoint });
    expect(currentAttempt(now)).toMatchObject({
      submission: { by: 'permit', at: NOW, highAvailability: false },
      restoredFrom: savepoint,
    });
    expect(permitted(now, { kind: 'savepoint', path: 's3://b/other' }, NOW + 5)).toBe(now);
    const empty = permitted(held, undefined, NOW);
    expect(empty).not.toHaveProperty('startFrom');
    expect(empty?.attempts[0]).not.toHaveProperty('restoredFrom');
  });

  it('has its permit before there is an attempt, which begins from that state', () => {
    const early = permitted({ ...runIn('accepted', 0), prepared: {}, attempts: [] }, savepoint, NOW);
    expect(early).toMatchObject({ prepared: { permittedAt: NOW }, startFrom: savepoint, attempts: [] });
  });

  it.each([
    ['it was not prepared', plain],
    ['it has ended', { ...runIn('ended', 0), prepared: {} }],
    ['it is to be canceled', { ...held, cancelRequested: { at: NOW, by: 'a test', reason: 'JobCanceled' as const } }],
  ])('has no permit where %s', (_why, run) => {
    expect(permitted(run, savepoint, NOW)).toBeUndefined();
  });

  it('uses none of its time to start while it is ready and held', () => {
    const spent = (run: ActiveRun): number => startingFor(run, currentAttempt(run), NOW);
    expect([plain, { ...plain, prepared: {} }, held, begun, again(held)].map(spent)).toEqual([
      ...[5_000, 5_000, 0, 400, 5_000],
    ]);
  });
});

describe('the failure of a JobManager that was prepared', () => {
  const once = <R extends ActiveRun>(run: R): R => ({
    ...run,
    job: { ...run.job, retry: { attempts: 1, backoff: 1 } },
  });

  it('ends the run while it is held: what is wanted in its place is for its deployment to say', () => {
    expect(afterFailure(held, failed('JobManagerCrashed'), NOW)).toMatchObject({ state: 'ended' });
  });

  it('before its job was seen to run costs the run no attempt: the next one begins in the usual way, at once', () => {
    expect(afterFailure(once(begun), failed('JobManagerCrashed'), NOW)).toMatchObject({
      state: 'waiting',
      waiting: { until: NOW, reason: 'JobManagerCrashed' },
    });
    for (const run of [updateAttempt(begun, { runningAt: NOW - 1 }), again(begun), plain]) {
      expect(afterFailure(once(run), failed('JobManagerCrashed'), NOW).state).toBe('ended');
    }
  });

  it.each([
    ['its state cannot be read', failed('StateUnreadable')],
    ['its state does not fit', failed('StateIncompatible')],
    ['nobody knows its end', failed('RestUnreachable', 'unknown')],
  ])('has no other attempt where %s', (_why, outcome) => {
    expect(afterFailure(begun, outcome, NOW)).toMatchObject({ state: 'ended', outcome });
  });

  it('has none where the run is to be canceled', () => {
    const canceled = { ...begun, cancelRequested: { at: NOW, by: 'a test', reason: 'JobCanceled' as const } };
    expect(afterFailure(canceled, failed('JobManagerCrashed'), NOW).state).toBe('ended');
  });
});
