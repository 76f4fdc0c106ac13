import { describe, it } from 'vitest';
import { spec, strikeStream } from './stream-scenario.ts';

describe('whatever one request fails or function dies', () => {
  it.each([
    ['savepoint', false],
    ['last-state', false],
    ['savepoint', true],
    ['last-state', true],
  ])(
    'a stream that is created, changed twice at once by %s, suspended and resumed comes to what is wanted; prepared: %s',
    (upgradeMode, prepareUpgrade) => {
      const job = (text: string, more = {}) =>
        spec({ upgradeMode, prepareUpgrade, args: [text], savepointTriggerNonce: 1, ...more });
      return strikeStream({
        steps: [
          [job('1')],
          [job('2'), job('3')],
          [job('3', { state: 'suspended' })],
          [job('3', { savepointTriggerNonce: 2 })],
        ],
        // It is made as one that is not prepared.
        from: prepareUpgrade ? 1 : 0,
        reached: 5,
        args: '3',
        told: [
          'accepted 1',
          'started 1',
          'accepted 2',
          'accepted 3',
          'accepted 4',
          'suspended 4',
          'accepted 5',
          'resumed 5',
        ],
        toldUndisturbed: prepareUpgrade ? ['preparing 3'] : [],
        tellsAlways: true,
        others: prepareUpgrade ? 64 : 16,
      });
    },
  );
});
