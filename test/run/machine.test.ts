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
  started,
  TRANSITIONS,
  updateAttempt,
} from '../../lib/run/machine.ts';
import { RUN_STATES, type ActiveRun, type Outcome, type RunRecord } from '../../lib/run/record.ts';
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

it('events are numbered from 1 without gaps', () => {
  const events = addEvent(addEvent(runIn('accepted', 0), 'accepted', NOW), 'started', NOW, 1).events;
  expect(events.map(({ sequence }) => sequence)).toEqual([1, 2]);
});
