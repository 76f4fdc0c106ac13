import { Draws } from '../draws.ts';
import type { Mutant, TestedMutant } from '../mutants.ts';
import { workloadOf } from '../workload.ts';
import { hasStream } from './stream-workload.ts';

const AT_END = 'lib/dispatch/state/state-at-end.ts';
const LOOK = 'lib/dispatch/state/look-at-stop.ts';
const DRIVE = 'lib/dispatch/state/drive-stop.ts';
const TRIES = 'lib/run/stop-request.ts';
const STOP = 'lib/verdict/stop/stop.ts';
const TEST = 'test/dispatch/state/streams.test.ts';

/** Worlds with a stream, of those in which something goes wrong. */
const SEEDS = Array.from({ length: 20_000 }, (_, seed) => seed).filter((seed) => {
  const draws = new Draws(seed);
  return hasStream(draws) && workloadOf(draws).rate >= 0.01;
});

/** Guards of the state of streams, by the crash window that each closes. */
const GUARDS: readonly Mutant[] = [
  {
    name: 'W4, W6: a savepoint is looked for in its directory',
    file: LOOK,
    guard: 'return newestOf(await savepointsOfTries(at.run, at.deps.state)) ?? null;',
    without: 'return at.run.stopTries === -1 ? newestOf(await savepointsOfTries(at.run, at.deps.state)) : null;',
  },
  {
    name: 'a job that went on past a stop has not ended with its savepoint',
    file: 'lib/dispatch/state/look-at-stop.ts',
    guard: "haveEnded(jobs) || asked?.facts.state === 'unknown';",
    without: 'haveEnded(jobs);',
    seeds: [8141],
  },
  {
    name: 'W14: what is newest is asked after the end of the job',
    file: AT_END,
    guard: 'return haveEnded(jobs) ? jobs.at(-1)?.state : undefined;',
    without: "return haveEnded(jobs) ? jobs.at(-1)?.state : 'CANCELED';",
  },
];

export const STREAM_MUTANTS: readonly Mutant[] = GUARDS.map((guard) => ({
  ...guard,
  seeds: [...(guard.seeds ?? []), ...SEEDS],
}));

/** What a unit test is nearer to. */
export const STREAM_TESTED: readonly TestedMutant[] = [
  {
    name: 'a job of which nobody tells has not ended with a savepoint that it went past',
    file: LOOK,
    guard: 'told ?? (await newestStored(at, isOver ? savepoint : undefined));',
    without: 'told;',
    test: 'test/dispatch/state/look-at-stop.test.ts',
  },
  {
    name: 'W1, W2: a repeat has the same id',
    file: TRIES,
    guard: '`savepoint\\n${run.runId}\\n${attempt}\\n${ordinal}`',
    without: '`savepoint\\n${run.runId}\\n${attempt}\\n${ordinal}\\n${Math.random()}`',
    test: 'test/run/stop-request.test.ts',
  },
  {
    name: 'W3: an operation that Flink has forgotten is no job that it has not',
    file: 'lib/flink/rest/savepoints.ts',
    guard: "status === 404 && (refused.reason === 'JobNotFound' || refused.reason === 'FlinkRefused')",
    without: 'status === 0',
    test: 'test/flink/rest/operations.test.ts',
  },
  {
    name: 'W5: a savepoint of a JobManager that is gone is not the end of the job',
    file: DRIVE,
    guard: 'if (savepoint && isOfTry(savepoint.path, stop))',
    without: 'if (savepoint === null && isOfTry("", stop))',
    test: TEST,
  },
  {
    name: 'W8: a savepoint that failed is tried again',
    file: DRIVE,
    guard: "if (operation.state === 'failed') return",
    without: "if (operation.state === 'completed') return",
    test: TEST,
  },
  {
    name: 'W21: a stop waits until all tasks run',
    file: DRIVE,
    guard: 'if (savepoint !== undefined && allTasksRun(job)) await',
    without: 'if (savepoint !== undefined) await',
    test: TEST,
  },
  {
    name: 'W6: a lost job is gone before it is said whether it had its savepoint',
    file: 'lib/dispatch/follow.ts',
    guard:
      'return savepointStop(run) === undefined ? afterFailure(run, outcome, now) : failAttempt(run, outcome, now);',
    without:
      'return savepointStop(run) === undefined ? afterFailure(run, outcome, now) : afterFailure(run, outcome, now);',
    test: TEST,
  },
  {
    name: 'W16: what an attempt begins from is looked at before anything is made of it',
    file: 'lib/dispatch/launch.ts',
    guard: '    await checkRestore(record, deps);\n',
    without: '',
    test: TEST,
  },
  {
    name: 'W17: an attempt begins from what the one before it left',
    file: 'lib/run/machine.ts',
    guard: 'last === undefined ? record.startFrom : (last.snapshot ?? last.restoredFrom ?? record.startFrom)',
    without: 'last === undefined ? record.startFrom : (last.restoredFrom ?? record.startFrom)',
    test: TEST,
  },
  {
    name: 'W22: a savepoint after which the job went on is not its end',
    file: STOP,
    guard: 'if (!hasEnded(input) || !stop.savepoint || !isNewest(stop.savepoint, stop)) return undefined;',
    without: 'if (!hasEnded(input) || !stop.savepoint) return undefined;',
    test: 'test/verdict/rules.test.ts',
  },
  {
    name: 'I3: a savepoint that the deployment asked for is state as well',
    file: 'lib/dispatch/state/snapshots.ts',
    guard: 'savepointsBelow(directory, `${run.runId}-`)',
    without: 'savepointsBelow(directory, `${run.runId}-none`)',
    test: TEST,
  },
  {
    name: 'savepoints that nobody knows of are removed',
    file: 'lib/dispatch/clean-up.ts',
    guard: '  await forgetTries(record, deps);\n',
    without: '',
    test: TEST,
  },
];
