import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_WAIT, nextLook, stepErrorWait } from '../../lib/run/intervals.ts';
import { updateAttempt } from '../../lib/run/machine.ts';
import { savepointTry } from '../../lib/run/stop-request.ts';
import { outcomeOf } from '../../lib/verdict/decide.ts';
import { RUN_STATES, type RunRecord, type RunState } from '../../lib/run/record.ts';
import { NOW, runIn } from '../verdict/observations.ts';

const AT_ONCE: readonly RunState[] = ['accepted', 'launching', 'ended', 'closed'];

/** A run that has been in its state for so long. */
function aged(state: RunState, age: number, kind: 'batch' | 'streaming'): RunRecord {
  const since = NOW - age;
  const record = runIn(state, age);
  return {
    ...record,
    job: { ...record.job, kind },
    waiting: { reason: 'QuotaExceeded', message: 'no room', since, until: since },
    ...(record.outcome !== undefined && { outcome: { ...record.outcome, at: since } }),
  } as RunRecord;
}

const anyState = fc.constantFrom(...RUN_STATES);
const anyKind = fc.constantFrom('batch' as const, 'streaming' as const);
const anyAge = fc.integer({ min: -60_000, max: 400 * 24 * 3_600_000 });

describe('the next look', () => {
  it('is at once where nobody else has to do anything', () => {
    for (const state of AT_ONCE) expect(nextLook(aged(state, 5000, 'batch'), NOW)).toBe(0);
  });

  it('is later than now and no later than a message can be delayed, at any age', () => {
    fc.assert(
      fc.property(anyState, anyKind, anyAge, (state, kind, age) => {
        const wait = nextLook(aged(state, age, kind), NOW);
        expect(wait).toBeLessThanOrEqual(MAX_WAIT);
        if (!AT_ONCE.includes(state)) expect(wait).toBeGreaterThan(0);
      }),
    );
  });

  it('is never sooner for an older run', () => {
    fc.assert(
      fc.property(anyState, anyKind, anyAge, anyAge, (state, kind, a, b) => {
        const [young, old] = a < b ? [a, b] : [b, a];
        expect(nextLook(aged(state, young, kind), NOW)).toBeLessThanOrEqual(nextLook(aged(state, old, kind), NOW));
      }),
    );
  });

  it.each<readonly [RunState, 'batch' | 'streaming', readonly (readonly [age: number, wait: number])[]]>([
    [
      'starting',
      'batch',
      [
        [0, 500],
        [19_999, 500],
        [20_000, 2_000],
        [120_000, 5_000],
        [600_000, 30_000],
      ],
    ],
    [
      'running',
      'batch',
      [
        [14_999, 500],
        [15_000, 2_000],
        [60_000, 5_000],
        [600_000, 15_000],
        [3_600_000, 60_000],
      ],
    ],
    [
      'running',
      'streaming',
      [
        [0, 2_000],
        [60_000, 5_000],
        [86_399_999, 60_000],
        [86_400_000, 300_000],
      ],
    ],
    [
      'waiting',
      'batch',
      [
        [59_999, 2_000],
        [60_000, 10_000],
        [600_000, 60_000],
      ],
    ],
    [
      'cleaning',
      'batch',
      [
        [9_999, 500],
        [10_000, 2_000],
        [60_000, 15_000],
        [600_000, 60_000],
      ],
    ],
  ])('of a run that is %s, %s, is by its age', (state, kind, waits) => {
    for (const [age, wait] of waits) expect([age, nextLook(aged(state, age, kind), NOW)]).toEqual([age, wait]);
  });

  it('of a run that is told to stop is soon, for a minute', () => {
    const told = (ago: number): number => {
      const cancelRequested = { at: NOW - ago, by: 'a test', reason: 'JobCanceled' as const };
      return nextLook({ ...aged('running', 7_200_000, 'batch'), cancelRequested }, NOW);
    };
    expect([0, 9_999, 10_000, 59_999, 60_000].map(told)).toEqual([500, 500, 2_000, 2_000, 60_000]);
  });

  it('of a run that is told to stop while it starts is soon, too', () => {
    const starting = aged('starting', 700_000, 'batch');
    const cancelRequested = { at: NOW, by: 'a test', reason: 'JobCanceled' as const };
    expect(nextLook(starting, NOW)).toBe(30_000);
    expect(nextLook({ ...starting, cancelRequested }, NOW)).toBe(500);
  });

  it('of an attempt that is given up is soon, for a minute', () => {
    const given = (ago: number): number => {
      const abortOutcome = { ...outcomeOf('failed', 'StartDeadlineExceeded', 'late', NOW - ago, []) };
      return nextLook(updateAttempt(runIn('running', 7_200_000), { abortOutcome }), NOW);
    };
    expect([0, 59_999, 60_000].map(given)).toEqual([500, 2_000, 60_000]);
  });

  it('of a stop with a savepoint is soon, until its time is over', () => {
    const record = runIn('running', 7_200_000);
    const savepoint = savepointTry(record, 1, { format: 'NATIVE', drain: false });
    const stopping = (ago: number, left: number): number => {
      const asked = { at: NOW - ago, by: 'a test', reason: 'ReplacedByNewerRun', until: NOW + left } as const;
      const stopRequested = { ...asked, mode: 'savepoint', savepoint, fallback: 'none' } as const;
      return nextLook({ ...record, stopRequested }, NOW);
    };
    expect([stopping(0, 1), stopping(9_999, 1), stopping(600_000, 1)]).toEqual([500, 500, 2_000]);
    expect(stopping(600_000, 0)).toBe(60_000);
  });

  it('is soon for a record without the times that it goes by', () => {
    for (const state of RUN_STATES) {
      const { attempts, ...record } = runIn(state, 0);
      const [{ number, clusterId, jobId, launchedAt }] = attempts;
      const bare = { ...record, attempts: [{ number, clusterId, jobId, launchedAt }] } as RunRecord;
      expect(nextLook(bare, NOW)).toBeLessThanOrEqual(2_000);
    }
  });

  it('counts from when a kept cluster begins to go', () => {
    const kept = { ...aged('cleaning', 3_600_000, 'batch'), keepUntil: NOW };
    expect(nextLook(kept, NOW)).toBe(nextLook(aged('cleaning', 0, 'batch'), NOW));
  });
});

describe('the wait after trouble', () => {
  it('doubles up to a minute, or is what the other side asks for, up to the longest delay', () => {
    expect([1, 2, 3, 7, 1000].map((count) => stepErrorWait(count))).toEqual([1000, 2000, 4000, 60_000, 60_000]);
    expect(stepErrorWait(1, 30)).toBe(30_000);
    expect(stepErrorWait(9, 1)).toBe(60_000);
    expect(stepErrorWait(1, 100_000)).toBe(MAX_WAIT);
  });
});
