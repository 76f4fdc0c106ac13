import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../lib/core/ids.ts';
import { decideIdle, join, leave, newLease, stopped } from '../../lib/run/session-lease.ts';
import { clusterId } from '../fakes/ids.ts';

const [a, b] = [runIdFor('a'), runIdFor('b')];
const IDLE = 60_000;
const LEASE = newLease(
  { target: 'default', namespace: 'flink', clusterId: clusterId('s') },
  { name: 'small', idleAfter: IDLE },
);

describe('a lease', () => {
  it('is idle when its last run leaves, and busy when one joins', () => {
    const both = join(join(LEASE, a, 1), b, 2);
    expect(leave(both, a, 3)).toMatchObject({ runs: { [b]: 2 } });
    expect(leave(both, a, 3).idleSince).toBeUndefined();
    const idle = leave(leave(both, a, 3), b, 4);
    expect(idle).toMatchObject({ runs: {}, idleSince: 4 });
    expect(leave(idle, a, 9).idleSince).toBe(4);
    expect(join(idle, a, 5)).toEqual(join(LEASE, a, 5));
  });

  it('is stopped after its time without a run and without anybody’s job', () => {
    const idle = leave(join(LEASE, a, 1), a, 10);
    expect(decideIdle(idle, 0, 10 + IDLE - 1)).toEqual({ kind: 'keep' });
    expect(decideIdle(idle, 0, 10 + IDLE)).toEqual({ kind: 'stop', lease: { ...idle, state: 'stopping' } });
    expect(decideIdle(idle, 1, 10 + IDLE)).toEqual({ kind: 'note', lease: LEASE });
    expect(decideIdle(LEASE, 1, 7)).toEqual({ kind: 'keep' });
    expect(decideIdle(idle, undefined, 10 + IDLE)).toEqual({ kind: 'keep' });
    expect(decideIdle(LEASE, 0, 7)).toEqual({ kind: 'note', lease: { ...LEASE, idleSince: 7 } });
    const stopping = { ...idle, state: 'stopping' as const };
    expect(decideIdle(stopping, 1, 0)).toEqual({ kind: 'stop', lease: stopping });
    expect(stopped(stopping)).toEqual(LEASE);
  });

  it('is never stopped with a run in it', () => {
    const lease = fc.record({
      idleSince: fc.option(fc.nat(), { nil: undefined }),
      runs: fc.dictionary(fc.string(), fc.nat(), { minKeys: 1 }),
    });
    fc.assert(
      fc.property(lease, fc.option(fc.nat(3), { nil: undefined }), fc.nat(), ({ idleSince, runs }, jobs, now) => {
        const open = { ...LEASE, runs, ...(idleSince === undefined ? {} : { idleSince }) };
        expect(decideIdle(open, jobs, now).kind).toBe('keep');
      }),
    );
  });
});
