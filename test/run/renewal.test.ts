import { describe, expect, it } from 'vitest';
import { updateAttempt } from '../../lib/run/machine.ts';
import type { Attempt } from '../../lib/run/record.ts';
import { inTimeToRenew, renewalIsDue } from '../../lib/run/renewal.ts';
import { NOW, runIn } from '../verdict/observations.ts';

describe('what pods read when they start', () => {
  const of = (change: Partial<Attempt>) => updateAttempt(runIn('running', 0), change);

  it('is written anew when its time has come, and not a moment before', () => {
    expect([NOW - 1, NOW, NOW + 1].map((renewAt) => renewalIsDue(of({ renewAt }), NOW))).toEqual([true, true, false]);
  });

  it('has a look in time', () => {
    const waits = [NOW - 5, NOW + 100, NOW + 9_000].map((renewAt) => inTimeToRenew(of({ renewAt }), 5_000, NOW));
    expect(waits).toEqual([0, 100, 5_000]);
  });

  it('is never written again where nothing expires, or where no JobManager may start', () => {
    for (const change of [{}, { renewAt: NOW - 1, startRevokedAt: NOW - 2 }]) {
      expect(renewalIsDue(of(change), NOW)).toBe(false);
      expect(inTimeToRenew(of(change), 5_000, NOW)).toBe(5_000);
    }
  });
});
