import type { Clock } from '../../../lib/core/clock.ts';

/** Time that passes when somebody waits. */
export class ManualClock implements Clock {
  time: number;

  constructor(time = Date.parse('2026-11-21T06:00:00Z')) {
    this.time = time;
  }

  now(): number {
    return this.time;
  }

  sleep(ms: number): Promise<void> {
    this.time += ms;
    return Promise.resolve();
  }
}
