import type { Mutant } from '../mutants.ts';

const LOCKS = 'lib/run/store/s3-locks.ts';

/** What turns of a concurrency key rest on. */
export const LOCK_MUTANTS: readonly Mutant[] = [
  {
    name: 'one run of a key holds the lock',
    file: LOCKS,
    guard: 'const isMine = first === undefined || first.runId === runId;',
    without: "const isMine = runId !== ('' as string);",
  },
  {
    name: 'the first in line is the next',
    file: LOCKS,
    guard: 'lock.holder === undefined ? await firstInLine(bucket, name) : { runId: lock.holder }',
    without: 'lock.holder === undefined ? undefined : { runId: lock.holder }',
  },
  {
    name: 'a lock that is free again is another one',
    file: LOCKS,
    guard: 'holder: holder ?? null, revision: revision + 1 })',
    without: 'holder: holder ?? null, revision: revision * 0 })',
  },
  {
    name: 'a place in line is given back',
    file: LOCKS,
    guard: '  await leaveLine(bucket, name, contender);\n  for',
    without: '  for',
  },
  {
    name: 'a run has its place before it looks at the lock',
    file: LOCKS,
    guard: '  if (enqueue) await joinLine(bucket, name, contender);\n',
    without: '',
  },
  {
    name: 'who is next is told',
    file: 'lib/dispatch/lock.ts',
    guard: 'if (next !== undefined && next !== record.runId) await tellNext(next, deps);',
    without: '',
  },
  {
    name: 'who is next is told under the number of its next step',
    file: 'lib/dispatch/lock.ts',
    guard: 'step: next.value.step.number + 1 }',
    without: 'step: next.value.step.number }',
  },
];
