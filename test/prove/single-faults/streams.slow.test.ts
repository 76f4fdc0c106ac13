import { describe, it } from 'vitest';
import { spec, strikeStream } from './stream-scenario.ts';

describe('whatever one request fails or function dies', () => {
  it.each(['savepoint', 'last-state'])('a prepared upgrade by %s leaves one job with its state', (upgradeMode) => {
    const job = { prepareUpgrade: true, upgradeMode };
    return strikeStream({
      steps: [[spec(job)], [spec({ ...job, args: ['2'] })]],
      from: 1,
      reached: 2,
      args: '2',
      told: ['accepted 2', 'preparing 2', 'upgrading 2', 'upgraded 2'],
      // One that is not ready in time is waited for no longer.
      tellsAlways: false,
      others: 16,
    });
  });
});
