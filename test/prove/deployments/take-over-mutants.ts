import { Draws } from '../draws.ts';
import type { Mutant, TestedMutant } from '../mutants.ts';
import { isSilentIn } from './deployment-wishes.ts';

const ADOPT = 'test/deployment/adopt.test.ts';
const TAKE_OVER = 'test/dispatch/deployment/take-over.test.ts';
const AS_STREAM = 'lib/dispatch/deployment/as-stream.ts';

/** Worlds in which a run of its own is taken over. */
const SEEDS = Array.from({ length: 8_000 }, (_, seed) => seed).filter((seed) => isSilentIn(new Draws(seed), 'd1'));

/** Guards of a run that a deployment takes over, which the simulation has to notice. */
export const TAKE_OVER_PLAYED: readonly Mutant[] = [
  {
    name: 'I3 a run that is taken over knows whose it is before it is stopped',
    file: 'lib/deployment/decide.ts',
    guard: '  if (isToAdopt(before)) return adopting(given, before, now);\n',
    without: '',
    only: 'deployments',
    seeds: SEEDS,
  },
];

export const TAKE_OVER_TESTED: readonly TestedMutant[] = [
  {
    name: 'I3 the checkpoints of a run that is taken over go when it is canceled',
    test: ADOPT,
    file: 'lib/deployment/stop.ts',
    guard: 'const isKept = run.adopted === undefined;',
    without: 'const isKept = true;',
  },
  {
    name: 'I4 what a run left that was not taken over in time is not known',
    test: ADOPT,
    file: 'lib/deployment/adopt.ts',
    guard: 'if (adopted === undefined || job?.state !== undefined || hasFinished(outcome)) return undefined;',
    without: 'if (adopted !== undefined || job?.state !== undefined || hasFinished(outcome)) return undefined;',
  },
  {
    name: 'I9 a run of an older upload takes no place',
    test: ADOPT,
    file: 'lib/deployment/adopt.ts',
    guard: ' || applied.generation.superseded === true) return undefined;',
    without: ') return undefined;',
  },
  {
    name: 'a job that may have an end is called endless by nobody’s guess',
    test: TAKE_OVER,
    file: 'lib/dispatch/deployment/take-over.ts',
    guard: "const kind = guessed ? job.kind : 'streaming';",
    without: "const kind = 'streaming';",
  },
  {
    name: 'what says that it is batch is taken for a stream where Flink chose so alone',
    test: TAKE_OVER,
    file: AS_STREAM,
    guard: "const may = kind === 'batch' ? isUnbounded : maybeUnbounded;",
    without: 'const may = maybeUnbounded;',
  },
  {
    name: 'no stream begins beside a run of which it could not keep the state',
    test: TAKE_OVER,
    file: AS_STREAM,
    guard: '  if (others.length > 0 || !canTake(run, job)) throw bothWouldRun([run, ...others], job);\n',
    without: '  if (others.length > 0 || !canTake(run, job)) return prepared;\n',
  },
  {
    name: 'the same upload is a version once, also of a stream that has finished',
    test: TAKE_OVER,
    file: AS_STREAM,
    guard: 'const isVersion = !isOver(record) || (await deployments.readRequest(owner, runId)) !== undefined;',
    without: 'const isVersion = !isOver(record);',
  },
];
