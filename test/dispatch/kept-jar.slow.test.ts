import { describe, expect, it } from 'vitest';
import { HEALTHY, jobMessage, World } from './world/simulated.ts';

const HOUR = 3_600_000;

describe('the kept jar of a run', () => {
  const DAY = 24 * HOUR;
  const pinned = { bucket: 'ledger', key: 'jars/sha256/0/a.jar', sha256: '0'.repeat(64), size: 1 };

  it('is renewed for as long as the run lives, well before it expires, and not after its end', async () => {
    const here = new World({ tells: false });
    const kept: number[] = [];
    const keepJar: World['dispatch']['keepJar'] = (jar) => {
      expect(jar).toEqual(pinned);
      kept.push(here.clock.now());
      // One that fails is made up for by the next.
      return kept.length === 2 ? Promise.reject(new Error('no answer')) : Promise.resolve();
    };
    here.adapt = (deps) => ({ ...deps, keepJar });
    Object.assign(here.accept, { pin: (jar: object) => Promise.resolve({ ...jar, pinned }) });
    here.programs = [{ ...HEALTHY, endsAfter: 75 * DAY }];
    const from = here.clock.now();
    await here.request(jobMessage({ deadlines: { run: '90 days' } }));
    for (let day = 0; day < 74; day += 1) await here.drainFor(DAY);
    const gaps = kept.map((at, index) => at - (kept[index - 1] ?? from));
    expect(kept.length).toBe(7);
    expect(Math.max(...gaps)).toBeLessThan(10.1 * DAY);
    await here.drain();
    const before = kept.length;
    here.clock.time += 30 * DAY;
    await here.sweep();
    expect(kept).toHaveLength(before);
  });
});
