import { it } from 'vitest';
import { strikeEach, type Scenario } from './scenario.ts';

const SCENARIOS: readonly (Scenario & { readonly name: string })[] = [
  { name: 'a standalone run', spec: { mode: 'standalone' }, outcome: 'succeeded' },
  {
    name: 'a run in a pool',
    spec: { mode: 'session', session: { pool: 'plain' } },
    fromBucket: true,
    outcome: 'succeeded',
  },
  { name: 'a run that is canceled', spec: {}, cancels: [3_000], outcome: 'canceled' },
  { name: 'a run that is rejected', spec: { image: 'evil:1' }, outcome: 'rejected' },
];

it.each(SCENARIOS)('$name has its outcome, and keeps its promises whichever one fault strikes', strikeEach);
