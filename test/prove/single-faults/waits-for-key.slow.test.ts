import { describe } from 'vitest';
import { FINISHES, singleFaults, SUCCEEDS } from './scenario.ts';

describe('a run that waits for its key', () => {
  singleFaults({ spec: { concurrency: { key: 'k', policy: 'queue' } }, programs: [FINISHES], ...SUCCEEDS });
});
