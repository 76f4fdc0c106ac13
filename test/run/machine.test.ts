import { describe, expect, it } from 'vitest';
import {
  addEvent,
  beginAttempt,
  checkTransition,
  created,
  end,
  failAttempt,
  hasAttempt,
  isEnded,
  isOpen,
  replaceNotes,
  started,
  toCleaning,
  toClosed,
  toWaiting,
  TRANSITIONS,
  updateAttempt,
  waitForCapacity,
  withoutSnapshot,
} from '../../lib/run/machine.ts';
import { RUN_STATES, type ActiveRun, type Attempt, type Outcome, type RunRecord } from '../../lib/run/record.ts';
import { inSession } from '../verdict/any-case.ts';
import { NOW, runIn } from '../verdict/observations.ts';

const outcome: Outcome = { state: 'failed', reason: 'JobManagerCrashed', message: 'it crashed', at: NOW, evidence: [] };

describe('a transition', () => {
  const pairs = RUN_STATES.flatMap((from) => RUN_STATES.map((to) => [from, to] as const));

  it.each(pairs)('from %s to %s is taken if and only if the table has it', (from, to) => {
    const move = (): void => checkTransition(runIn(from, 0), to);
    if (TRANSITIONS[from].includes(to)) expect(move).not.toThrow();
    else expect(move).toThrow(`illegal transition ${from} → ${to}`);
  });

  it('never leads out of an end', () => {
    const reachable = (from: RunRecord['state']): readonly RunRecord['state'][] =>
      TRANSITIONS[from].flatMap((to) => [to, ...reachable(to)]);
    for (const state of RUN_STATES.filter(isEnded)) expect(reachable(state).every(isEnded)).toBe(true);
  });

  it.each(RUN_STATES.filter((state) => !isEnded(state)))('leads from %s to an end', (state) => {
    expect(TRANSITIONS[state]).toContain('ended');
  });
});

describe('an outcome', () => {
  it('is never replaced', () => {
    const ended = end(runIn('running', 0), outcome);
    const other = { ...outcome, state: 'succeeded', reason: 'JobFinished' } as const;
    for (const state of ['ended', 'cleaning', 'closed'] as const) {
      // What the type forbids.
      expect(() => end({ ...ended, state } as unknown as ActiveRun, other)).toThrow('illegal transition');
    }
  });

  it('is that of the last attempt, and announced once', () => {
    const ended = end(runIn('running', 0, { unreachableSince: NOW }), outcome);
    expect(ended).toMatchObject({ state: 'ended', outcome, attempts: [{ outcome }] });
    expect(ended.events).toEqual([{ sequence: 1, type: 'completed', time: NOW, attempt: 1 }]);
    expect(ended).not.toHaveProperty('unreachableSince');
  });

  it('of an earlier attempt stays with it', () => {
    const waiting = failAttempt(runIn('starting', 0), outcome, NOW + 10);
    const canceled = { ...outcome, state: 'canceled', reason: 'JobCanceled' } as const;
    expect(end(waiting, canceled)).toMatchObject({ outcome: canceled, attempts: [{ outcome }] });
  });
});

describe('an attempt', () => {
  it('begins with names of its own, before anything of it exists', () => {
    const first = beginAttempt({ ...runIn('accepted', 0), attempts: [] }, NOW);
    expect(first).toMatchObject({ state: 'launching', attempts: [{ number: 1, launchedAt: NOW }] });
    expect(created(first, NOW + 1).attempts[0].createdAt).toBe(NOW + 1);
    const failed = failAttempt(created(first, NOW + 1), outcome, NOW + 2);
    expect(() => beginAttempt(failed, NOW + 3)).toThrow('attempt 1 is not proven gone');
    if (!hasAttempt(failed)) throw new Error('no attempt');
    const second = beginAttempt(updateAttempt(failed, { removalVerifiedAt: NOW + 3 }), NOW + 4);
    const [a, b] = second.attempts;
    expect(b?.number).toBe(2);
    expect([a?.clusterId, a?.jobId]).not.toEqual([b?.clusterId, b?.jobId]);
    expect(b?.clusterId).not.toBe(a?.clusterId);
    expect(second).not.toHaveProperty('waiting');
  });

  it('goes on from what the last one left, else from what that began from, else from what the run is to start from', () => {
    const state = (path: string) => ({ kind: 'savepoint', path }) as const;
    const fresh = { ...runIn('accepted', 0), attempts: [] };
    expect(beginAttempt({ ...fresh, startFrom: state('s3://run') }, NOW).attempts[0].restoredFrom?.path).toBe(
      's3://run',
    );
    expect(beginAttempt(fresh, NOW).attempts[0]).not.toHaveProperty('restoredFrom');
    const next = (change: Partial<Attempt>) => {
      const failed = failAttempt(runIn('running', 0), outcome, NOW);
      if (!hasAttempt(failed)) throw new Error('no attempt');
      const gone = updateAttempt(failed, { ...change, removalVerifiedAt: NOW });
      return beginAttempt({ ...gone, startFrom: state('s3://run') }, NOW).attempts.at(-1)?.restoredFrom?.path;
    };
    expect(next({ snapshot: state('s3://left'), restoredFrom: state('s3://began') })).toBe('s3://left');
    expect(next({ restoredFrom: state('s3://began') })).toBe('s3://began');
    expect(next({})).toBe('s3://run');
  });

  it('in a session runs in its cluster', () => {
    const queued = { ...inSession({}, runIn('running', 0)), state: 'accepted', attempts: [] } as const;
    expect(beginAttempt(queued, NOW).attempts[0].clusterId).toBe('team-a');
  });

  it('that found no room counts how often, and says until when its successor waits', () => {
    const full = { ...outcome, reason: 'QuotaExceeded', message: 'no room' } as const;
    const given = updateAttempt(runIn('starting', 0, { unreachableSince: NOW }), { abortOutcome: outcome });
    const waiting = waitForCapacity(given, full, NOW + 10);
    expect(waiting).toMatchObject({
      state: 'waiting',
      waiting: { reason: 'QuotaExceeded', message: 'no room', since: NOW, until: NOW + 10 },
      attempts: [{ capacityWaits: 1, outcome: full }],
      events: [],
    });
    expect(waiting.attempts[0]).not.toHaveProperty('abortOutcome');
    expect(waiting).not.toHaveProperty('unreachableSince');
    expect(waitForCapacity(updateAttempt(given, { capacityWaits: 4 }), full, NOW).attempts[0]?.capacityWaits).toBe(5);
  });

  it('that fails is heard of no more', () => {
    expect(failAttempt(runIn('running', 0, { unreachableSince: NOW }), outcome, NOW)).not.toHaveProperty(
      'unreachableSince',
    );
  });

  it('has the notes of its last look in place of those before', () => {
    const noted = updateAttempt(runIn('running', 0), { jobsEndedAt: 1, mainReturnedAt: 2, jobFinished: true });
    const notes = { jobsEndedAt: 5, mainReturnedAt: undefined, jobFinished: undefined };
    const attempt = replaceNotes(noted, notes).attempts[0];
    expect(attempt.jobsEndedAt).toBe(5);
    expect(attempt).not.toHaveProperty('mainReturnedAt');
    expect(attempt).not.toHaveProperty('jobFinished');
    expect(attempt.runningAt).toBe(NOW);
  });

  it('has nothing left of a snapshot that is taken back', () => {
    const snapshot = { kind: 'savepoint', path: 's3://b/sp' } as const;
    const attempt = withoutSnapshot(updateAttempt(runIn('running', 0), { snapshot })).attempts[0];
    expect(attempt).toEqual(runIn('running', 0).attempts[0]);
  });

  it('that fails leaves why and until when its successor waits', () => {
    expect(failAttempt(runIn('running', 0), outcome, NOW + 10)).toMatchObject({
      state: 'waiting',
      waiting: { reason: 'JobManagerCrashed', message: 'it crashed', since: NOW, until: NOW + 10 },
      events: [{ sequence: 1, type: 'attempt-failed', attempt: 1 }],
    });
  });

  it('runs since the time that Flink says', () => {
    const record = started(runIn('starting', 0), NOW - 7, { jobManager: { podUid: 'p', restartCount: 0 } });
    expect(record).toMatchObject({ state: 'running', attempts: [{ runningAt: NOW - 7, jobManager: { podUid: 'p' } }] });
    expect(record.events).toEqual([{ sequence: 1, type: 'started', time: NOW - 7, attempt: 1 }]);
  });
});

it('a run takes its states in order, and is open until it ends', () => {
  const ended = runIn('ended', 0);
  expect(toClosed(toCleaning(ended)).state).toBe('closed');
  expect(() => toClosed(ended)).toThrow('illegal transition ended → closed');
  expect(() => toCleaning(toCleaning(ended))).toThrow('illegal transition');
  expect(() => created(runIn('running', 0), NOW)).toThrow('illegal transition');
  expect(() => started(runIn('running', 0), NOW, {})).toThrow('illegal transition');
  expect(() => beginAttempt({ ...runIn('launching', 0), attempts: [] } as never, NOW)).toThrow('illegal transition');
  expect(RUN_STATES.filter((state) => isOpen(runIn(state, 0)))).toEqual([
    ...['accepted', 'waiting', 'launching', 'starting', 'running'],
  ]);
});

it('a run that waits may wait for something else', () => {
  const waiting = { reason: 'QuotaExceeded', message: 'no room', since: NOW, until: NOW } as const;
  expect(toWaiting(toWaiting(runIn('accepted', 0), waiting), { ...waiting, until: NOW + 5 }).waiting?.until).toBe(
    NOW + 5,
  );
  expect(() => toWaiting({ ...runIn('ended', 0), state: 'ended' } as never, waiting)).toThrow('illegal transition');
});

it('events are numbered from 1 without gaps', () => {
  const events = addEvent(addEvent(runIn('accepted', 0), 'accepted', NOW), 'started', NOW, 1).events;
  expect(events.map(({ sequence }) => sequence)).toEqual([1, 2]);
});
