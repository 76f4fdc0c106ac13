import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { REASON_CODES, reasonClass, type Reason } from '../../lib/core/reasons.ts';
import { beginAttempt, hasAttempt, updateAttempt } from '../../lib/run/machine.ts';
import type { ActiveRun, Outcome } from '../../lib/run/record.ts';
import { afterFailure, attemptsUsed } from '../../lib/run/retry.ts';
import { NOW, runIn } from '../verdict/observations.ts';

const MINUTE = 60_000;

function failed(reason: Reason): Outcome {
  return { state: 'failed', reason, message: 'why', at: NOW, evidence: [] };
}

/** A run whose last attempt is the one after these. */
function after(...reasons: Reason[]): ActiveRun {
  const record = runIn('starting', 0);
  const [attempt] = record.attempts;
  const earlier = reasons.map((reason, index) => ({
    ...attempt,
    number: index + 1,
    removalVerifiedAt: NOW,
    outcome: failed(reason),
  }));
  const job = { ...record.job, retry: { attempts: 3, backoff: 10_000 } };
  const [first, ...rest] = [...earlier, { ...attempt, number: earlier.length + 1 }];
  if (first === undefined) throw new Error('no attempt');
  return { ...record, job, attempts: [first, ...rest] };
}

function waitAfter(record: ActiveRun, reason: Reason): number | undefined {
  const next = afterFailure(record, failed(reason), NOW);
  return next.state === 'waiting' && next.waiting !== undefined ? next.waiting.until - NOW : undefined;
}

describe('after a failure', () => {
  it.each(REASON_CODES)('%s has another attempt if its class has', (reason) => {
    const again = ['infrastructure', 'capacity'].includes(reasonClass(reason));
    expect(afterFailure(after(), failed(reason), NOW).state).toBe(again ? 'waiting' : 'ended');
  });

  it('of the infrastructure the wait doubles, until the attempts are used up', () => {
    const crash = 'JobManagerCrashed';
    expect(waitAfter(after(), crash)).toBe(10_000);
    expect(waitAfter(after(crash), crash)).toBe(20_000);
    expect(waitAfter(after(crash, crash), crash)).toBeUndefined();
  });

  it('of the infrastructure the wait is never longer than a quarter of an hour', () => {
    const crashes = Array.from({ length: 40 }, () => 'JobManagerCrashed' as const);
    const record = after(...crashes);
    const patient = { ...record, job: { ...record.job, retry: { attempts: 100, backoff: 1 } } };
    expect(waitAfter(patient, 'JobManagerCrashed')).toBe(1024);
    const long = { ...record, job: { ...record.job, retry: { attempts: 100, backoff: MINUTE } } };
    expect(waitAfter(long, 'JobManagerCrashed')).toBe(15 * MINUTE);
  });

  it('for want of room it waits as long as it takes, and counts no attempt', () => {
    const full = 'QuotaExceeded';
    const most = [15_000, 30_000, MINUTE, MINUTE];
    const waits = [undefined, 1, 2, 30].map((capacityWaits) =>
      waitAfter(updateAttempt(after(), capacityWaits === undefined ? {} : { capacityWaits }), full),
    );
    for (const [index, wait = 0] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual((most[index] ?? 0) / 2);
      expect(wait).toBeLessThanOrEqual(most[index] ?? 0);
    }
    const record = after(full, 'JobManagerCrashed', full);
    expect(attemptsUsed(record)).toBe(2);
    expect(waitAfter(record, 'JobManagerCrashed')).toBe(20_000);
  });

  it('for want of room runs that found none at the same time ask again spread over the time', () => {
    const waits = Array.from({ length: 60 }, (_, index) => {
      const record = { ...after(), runId: runIdFor(`run ${index}`) };
      return waitAfter(updateAttempt(record, { capacityWaits: 5 }), 'QuotaExceeded') ?? 0;
    }).sort((a, b) => a - b);
    const pauses = waits.map((wait, index) => wait - (waits[index - 1] ?? MINUTE / 2));
    expect(Math.max(...pauses)).toBeLessThan(MINUTE / 10);
    const ofOne = [5, 6, 7].map((capacityWaits) =>
      waitAfter(updateAttempt(after(), { capacityWaits }), 'QuotaExceeded'),
    );
    expect(new Set(ofOne).size).toBe(3);
  });

  it('for want of room the record does not grow, and no event tells of it', () => {
    const crashed = ['JobManagerCrashed', 'JobManagerCrashed'] as const;
    let record = after(...crashed);
    for (let waits = 1; waits <= 100; waits += 1) {
      const waiting = afterFailure(record, failed('QuotaExceeded'), NOW);
      expect(waiting.attempts.at(-1)).toMatchObject({ number: waits + 2, capacityWaits: waits });
      if (waiting.state !== 'waiting' || !hasAttempt(waiting)) throw new Error('it does not wait');
      record = { ...beginAttempt(updateAttempt(waiting, { removalVerifiedAt: NOW }), NOW), state: 'starting' };
    }
    expect(record.attempts.map(({ number }) => number)).toEqual([1, 2, 103]);
    expect(record.attempts.at(-1)).not.toHaveProperty('outcome');
    expect(record.events).toEqual(after().events);
  });

  it('a run that is to be canceled, or that has an unknown end, has no other attempt', () => {
    const canceled = { ...after(), cancelRequested: { at: NOW, by: 'a test', reason: 'JobCanceled' as const } };
    expect(waitAfter(canceled, 'JobManagerCrashed')).toBeUndefined();
    const unknown = { ...failed('RestUnreachable'), state: 'unknown' } as const;
    expect(afterFailure(after(), unknown, NOW)).toMatchObject({ state: 'ended', outcome: unknown });
  });

  it('the outcome stands with the attempt', () => {
    const next = afterFailure(updateAttempt(after(), { artifacts: ['a.log'] }), failed('JobManagerCrashed'), NOW);
    expect(next.attempts[0]).toMatchObject({ artifacts: ['a.log'], outcome: { reason: 'JobManagerCrashed' } });
  });
});
