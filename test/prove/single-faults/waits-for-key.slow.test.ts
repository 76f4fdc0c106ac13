import { it } from 'vitest';
import { strikeEach } from './scenario.ts';

it('a run that waits for its key has its outcome, and keeps its promises whichever one fault strikes', () =>
  strikeEach({ spec: { concurrency: { key: 'k', policy: 'queue' } }, outcome: 'succeeded' }));
