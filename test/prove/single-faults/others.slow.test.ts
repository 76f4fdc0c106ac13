import { describe } from 'vitest';
import { CRASHES } from '../servers/flink.ts';
import { FINISHES, singleFaults, SUCCEEDS, type Scenario } from './scenario.ts';

const POOL = { spec: { mode: 'session', session: { pool: 'plain' } }, fromBucket: true };

const SCENARIOS: readonly (Scenario & { readonly name: string })[] = [
  { name: 'a standalone run', spec: { mode: 'standalone' }, programs: [FINISHES], outcome: 'succeeded' },
  { name: 'a run that is canceled', spec: {}, cancels: [3_000], outcome: 'canceled' },
  {
    name: 'a run whose first JobManager crashes',
    spec: {},
    programs: [CRASHES, FINISHES],
    // Whatever makes a look late lets Kubernetes start it again: then nobody knows what the second one did.
    outcome: 'succeeded',
  },
  {
    name: 'a run that is rejected',
    spec: { image: 'evil:1' },
    outcome: 'rejected',
    story: { states: ['rejected'], clusters: 0 },
  },
  { name: 'a run in a pool', ...POOL, programs: [FINISHES], ...SUCCEEDS },
  {
    name: 'a run in a pool whose main() fails',
    ...POOL,
    programs: [{ ...FINISHES, mainFails: true }],
    onlyPassing: true,
    outcome: 'failed',
    story: { states: ['accepted', 'failed'], clusters: 1 },
  },
];

describe.each(SCENARIOS)('$name', (scenario) => singleFaults(scenario));
