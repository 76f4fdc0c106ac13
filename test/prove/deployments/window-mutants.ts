import { Draws } from '../draws.ts';
import type { Mutant } from '../mutants.ts';
import { workloadOf } from '../workload.ts';

const DECIDE = 'lib/deployment/decide.ts';
const REQUESTS = 'lib/deployment/requests.ts';
const START = 'lib/deployment/start.ts';
const SWEEP = 'lib/dispatch/sweep/sweep-deployments.ts';

const SEEDS = Array.from({ length: 4_000 }, (_, seed) => seed).filter(
  (seed) => workloadOf(new Draws(seed), 'deployments').rate >= 0.015,
);

type Guard = Omit<Mutant, 'seeds' | 'only'> & { readonly seeds?: readonly number[] };

/** Guards of deployments that a world notices, by the windows of a crash that they close. */
const GUARDS: readonly Guard[] = [
  {
    name: 'W7: a savepoint counts although the job fails when it stops',
    file: 'lib/verdict/stop/stop.ts',
    guard: "if (savepointStop(record) === undefined && endState(input) !== 'FINISHED') return undefined;",
    without: "if (endState(input) !== 'FINISHED') return undefined;",
    seeds: [12],
  },
  {
    name: 'W9 a deployment whose message is lost is woken',
    file: SWEEP,
    guard: '    await deps.runQueue.send({ version: 1, deployment: id }, 0);\n',
    without: '',
    seeds: [3],
  },
  {
    name: 'W10 a run has an id of its deployment, generation and number',
    file: START,
    guard: 'runIdFor(`deployment\\n${id}\\n${number}\\n${runs}`)',
    without: 'runIdFor(`deployment\\n${id}`)',
    seeds: [3],
  },
  {
    name: 'W11 a stop that is asked for is carried through before another one',
    file: DECIDE,
    guard: '  if (own.stop !== undefined) return stopping(noted, own, run, now);\n',
    without: '',
    seeds: [3],
  },
  {
    name: 'W12 nothing begins before the last run is proven gone',
    file: DECIDE,
    guard: "if (run.state !== 'closed') return ending(record, own, run, now);",
    without: '',
    seeds: [3],
  },
  {
    name: 'W13, W15: the newest checkpoint is listed when the attempt is gone',
    file: 'lib/dispatch/state/newest-state.ts',
    guard: ', ...(await storedCheckpoints(run, deps.state))]);',
    without: ']);',
    seeds: [3],
  },
  {
    name: 'W18 what an attempt begins from is not its own',
    file: 'lib/job/state-options.ts',
    guard: "[recoveryKeys.claimMode]: 'NO_CLAIM'",
    without: "[recoveryKeys.claimMode]: 'CLAIM'",
    seeds: [3],
  },
  {
    name: 'W19 one snapshot is taken at a time',
    file: REQUESTS,
    guard: '  if (record.request !== undefined) return record;\n',
    without: '',
    seeds: [38],
  },
  {
    name: 'W19 what a snapshot left that came to nothing is removed',
    file: REQUESTS,
    guard: 'return { ...record, leftovers: [...record.leftovers, { directory, run }].slice(-LEFTOVERS) };',
    without: 'return record;',
    seeds: [28],
  },
];

export const WINDOW_MUTANTS: readonly Mutant[] = GUARDS.map((guard) => ({
  ...guard,
  only: 'deployments',
  seeds: [...(guard.seeds ?? []), ...SEEDS],
}));
