import { describe, expect, it } from 'vitest';
import { omit } from '../../lib/core/omit.ts';
import { end } from '../../lib/run/machine.ts';
import type { ActiveRun, Attempt, Outcome, RunRecord } from '../../lib/run/record.ts';
import { outcomeOf } from '../../lib/verdict/decide.ts';
import {
  ABANDON_LIMIT,
  FORBIDDEN_LIMIT,
  isAbandoned,
  outcomeWithoutLook,
  UNSEEN_LIMIT,
} from '../../lib/verdict/without-look.ts';
import { RUN, START } from './any-case.ts';
import { NOW, runIn } from './observations.ts';

const MINUTE = 60_000;

/** Its looks have failed for so long. */
function unseen<R extends RunRecord>(
  record: R,
  duration: number,
  reason: NonNullable<R['stepError']>['reason'] = 'ClusterUnavailable',
): R {
  return { ...record, stepError: { since: NOW - duration, count: 7, reason, message: 'no answer' } };
}

const of = (record: Parameters<typeof outcomeWithoutLook>[0]): Outcome | undefined => outcomeWithoutLook(record, NOW);
const toCancel = (record: ActiveRun, ago: number): ActiveRun => ({
  ...record,
  cancelRequested: { at: NOW - ago, by: 'a person', reason: 'JobCanceled' },
});

describe('a run whose cluster cannot be looked at', () => {
  it('is tried again for a day, or for half an hour where rights are gone', () => {
    const running = runIn('running', 5_000);
    expect(of(running)).toBeUndefined();
    expect(of(unseen(running, UNSEEN_LIMIT - 1))).toBeUndefined();
    expect(of(unseen(running, UNSEEN_LIMIT))).toMatchObject({ state: 'unknown', reason: 'ClusterUnavailable' });
    expect(of(unseen(running, FORBIDDEN_LIMIT - 1, 'PermissionDenied'))).toBeUndefined();
    expect(of(unseen(running, FORBIDDEN_LIMIT, 'PermissionDenied'))).toMatchObject({ reason: 'PermissionDenied' });
    expect(of(unseen(running, 2 * UNSEEN_LIMIT, 'StorageUnavailable'))).toBeUndefined();
  });

  it('ends with what is known of it', () => {
    expect(of(unseen(runIn('running', 5_000), UNSEEN_LIMIT))).toEqual({
      ...{ state: 'unknown', reason: 'ClusterUnavailable', at: NOW, rule: 'no-look' },
      message: 'whether the job ended is not known: no look at its cluster succeeded for 86400 s: no answer',
      evidence: ['7 steps failed, the last with ClusterUnavailable'],
    });
  });

  it('is canceled all the same, when both have taken a minute', () => {
    const running = runIn('running', 5_000);
    expect(of(unseen(toCancel(running, MINUTE), MINUTE))).toMatchObject({ state: 'canceled', reason: 'JobCanceled' });
    expect(of(unseen(toCancel(running, MINUTE), MINUTE))?.message).toMatch(/^Canceled by a person: no look/);
    expect(of(unseen(toCancel(running, MINUTE - 1), MINUTE))).toBeUndefined();
    expect(of(unseen(toCancel(running, MINUTE), MINUTE - 1))).toBeUndefined();
  });

  it('keeps its deadlines', () => {
    const starting = (age: number) => of(unseen(runIn('starting', age), MINUTE));
    expect(starting(START - 1)).toBeUndefined();
    expect(starting(START)?.message).toMatch(/^deadlines\.start is over, and whether the job ended is not known/);
    const running = runIn('running', RUN);
    const limited = (run: number): ActiveRun => {
      const { job } = running;
      return unseen({ ...running, job: { ...job, deadlines: { ...job.deadlines, run } } }, MINUTE);
    };
    expect(of(limited(RUN + 1))).toBeUndefined();
    expect(of(limited(RUN))?.message).toMatch(/^deadlines\.run is over/);
    const { job } = running;
    expect(of(unseen({ ...running, job: { ...job, deadlines: omit(job.deadlines, 'run') } }, MINUTE))).toBeUndefined();
  });

  it('is waited for while it is launched', () => {
    expect(of(unseen(runIn('launching', START), 2 * UNSEEN_LIMIT))).toBeUndefined();
  });
});

describe('a run between two attempts', () => {
  const failed = outcomeOf('failed', 'JobManagerCrashed', 'It crashed', NOW, []);
  const waiting = (
    change: Partial<Attempt>,
    duration = UNSEEN_LIMIT,
    reason: 'ClusterUnavailable' | 'StateStorageUnavailable' = 'ClusterUnavailable',
  ) => {
    const record = runIn('waiting', 0);
    const attempts = record.attempts.map((attempt) => ({ ...attempt, ...change }));
    return of(unseen({ ...record, attempts }, duration, reason));
  };

  it('ends as the last one did, where nobody knows whether that is gone', () => {
    expect(waiting({ outcome: failed }, UNSEEN_LIMIT - 1)).toBeUndefined();
    const ended = waiting({ outcome: failed });
    expect(ended).toMatchObject({ state: 'failed', reason: 'JobManagerCrashed' });
    expect(ended?.message).toMatch(/^It crashed; it is not tried again, because its cluster may still be there: /);
    expect(waiting({})).toMatchObject({ state: 'failed', reason: 'ClusterUnavailable' });
    expect(waiting({ outcome: failed }, UNSEEN_LIMIT, 'StateStorageUnavailable')?.message).toContain(
      'its newest state is not known',
    );
  });

  it('goes on where it is known to be gone, or before the first', () => {
    expect(waiting({ outcome: failed, removalVerifiedAt: NOW })).toBeUndefined();
    expect(of(unseen({ ...runIn('accepted', 0), attempts: [] }, UNSEEN_LIMIT))).toBeUndefined();
  });
});

it('a clean-up that fails for a day is given up', () => {
  const cleaning = {
    ...end(runIn('running', 0), outcomeOf('succeeded', 'JobFinished', 'done', NOW, [])),
    state: 'cleaning' as const,
  };
  expect(isAbandoned(unseen(cleaning, ABANDON_LIMIT), NOW)).toBe(true);
  expect(isAbandoned(unseen(cleaning, ABANDON_LIMIT - 1), NOW)).toBe(false);
  expect(isAbandoned(cleaning, NOW)).toBe(false);
  expect(isAbandoned({ ...unseen(cleaning, ABANDON_LIMIT), state: 'ended' }, NOW)).toBe(false);
});
