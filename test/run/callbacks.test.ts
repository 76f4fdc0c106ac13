import { describe, expect, it } from 'vitest';
import {
  addCallback,
  callbackOf,
  dueHeartbeats,
  noteHeartbeat,
  openCallbacks,
  settle,
  waitsForCallbacks,
} from '../../lib/run/callbacks.ts';
import { NOW, runIn } from '../verdict/observations.ts';

const { id } = callbackOf('token');
const run = addCallback(runIn('running', 1_000, { createdAt: NOW }), 'token');

describe('a task that waits for a run', () => {
  it('is noted once', () => {
    expect(addCallback(run, 'token')).toBe(run);
    expect(openCallbacks(addCallback(run, 'another'))).toHaveLength(2);
  });

  it('is one of the newest twenty', () => {
    const many = Array.from({ length: 25 }, (_, n) => `token ${n}`).reduce(
      (all, token) => addCallback(all, token),
      run,
    );
    expect(openCallbacks(many).map(({ taskToken }) => taskToken)).toEqual(
      Array.from({ length: 20 }, (_, n) => `token ${n + 5}`),
    );
  });

  it('hears every half minute that the run goes on', () => {
    expect(dueHeartbeats(run, NOW + 29_999)).toEqual([]);
    expect(dueHeartbeats(run, NOW + 30_000)).toEqual([{ id, taskToken: 'token' }]);
    expect(dueHeartbeats(noteHeartbeat(run, id, NOW + 30_000), NOW + 59_999)).toEqual([]);
  });

  it('leaves no token when it is settled', () => {
    const settled = settle(run, id, NOW);
    expect(JSON.stringify(settled)).not.toContain('"token"');
    expect(openCallbacks(settled)).toEqual([]);
    expect(addCallback(settled, 'token')).toBe(settled);
  });

  it('keeps an ended run on record as live for a quarter of an hour', () => {
    expect(waitsForCallbacks(run, NOW)).toBe(false);
    const cleaning = addCallback(runIn('cleaning', 1_000), 'token');
    const { at } = cleaning.outcome;
    expect(waitsForCallbacks(cleaning, at + 899_999)).toBe(true);
    expect(waitsForCallbacks(cleaning, at + 900_000)).toBe(false);
    expect(waitsForCallbacks(settle(cleaning, id, NOW), at)).toBe(false);
  });
});
