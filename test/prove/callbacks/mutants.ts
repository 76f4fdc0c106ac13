import { Draws } from '../draws.ts';
import type { Mutant, TestedMutant } from '../mutants.ts';
import { workloadOf } from '../workload.ts';
import { hasTask } from './tasks.ts';

const TELL = 'lib/dispatch/callbacks/tell-callbacks.ts';

/** Worlds in which a state machine waits, of those in which something goes wrong. */
const SEEDS = Array.from({ length: 8_000 }, (_, seed) => seed).filter((seed) => {
  const draws = new Draws(seed);
  const { wishes, rate } = workloadOf(draws);
  return rate >= 0.01 && wishes.some((wish) => hasTask(draws, wish));
});

const GUARDS: readonly Omit<Mutant, 'seeds'>[] = [
  {
    name: 'a task that was not told is told later',
    file: TELL,
    guard: "log.warn('a task was not told', { runId, callback: id, error });\n    return record;",
    without: "log.warn('a task was not told', { runId, callback: id, error });\n    return settle(record, id, now);",
  },
  {
    name: 'a task that comes to a closed run is told',
    file: 'lib/dispatch/callbacks/join-callback.ts',
    guard: "if (joined.run.state === 'closed') await answerNow(joined.run, taskToken, deps);",
    without: '',
  },
  {
    name: 'another task of the same request waits as well',
    file: 'lib/dispatch/accept.ts',
    guard: '  await joinCallback(known, request, deps);\n',
    without: '',
  },
];

export const CALLBACK_MUTANTS: readonly Mutant[] = GUARDS.map((guard) => ({ ...guard, seeds: SEEDS }));

export const CALLBACK_TESTED: readonly TestedMutant[] = [
  {
    name: 'a run stays until its tasks are told',
    test: 'test/dispatch/callbacks/task-callbacks.test.ts',
    file: 'lib/dispatch/clean-up.ts',
    guard: 'if (waitsForCallbacks(record, now)) return waitFor(record, nextLook(record, now));',
    without: 'if (waitsForCallbacks(record, now)) return continueNow(toClosed(record));',
  },
];
