import type { Mutant, TestedMutant } from '../mutants.ts';

/** What keeps jobs from being missing in the history. */
export const HISTORY_MUTANTS: readonly Mutant[] = [
  {
    name: 'a job is archived before its JobManager goes',
    file: 'lib/dispatch/follow.ts',
    guard: 'await archiveAttempt(withRun(at, kept), facts.observation, verdict.outcome)',
    without: 'kept',
  },
  {
    name: 'a run whose end no look saw is archived of its draft',
    file: 'lib/dispatch/clean-up.ts',
    guard: '  if (isArchiveOpen(record)) return continueNow(await archiveUnseen(record, deps));\n',
    without: '',
  },
  {
    name: 'an archive of a draft tells of the end',
    file: 'lib/dispatch/history/archive.ts',
    guard: 'await archives.keep(name, withEnd(id, draft, endOf(outcome)));',
    without: 'await archives.keep(name, draft);',
  },
];

export const HISTORY_TESTED: readonly TestedMutant[] = [
  {
    name: 'a look goes on without its sample',
    file: 'lib/dispatch/history/keep-history.ts',
    guard: "    log.warn('a sample was not kept', { runId: run.runId, error });",
    without: 'throw error;',
    test: 'test/dispatch/history/history.test.ts',
  },
  {
    name: 'a sample that failed is not tried again at each look',
    file: 'lib/dispatch/history/keep-history.ts',
    guard: 'return updateAttempt(run, { sampled: { count: number, at: now } });',
    without: 'return run;',
    test: 'test/dispatch/history/history.test.ts',
  },
  {
    name: 'a verdict stands without its archive',
    file: 'lib/dispatch/history/archive.ts',
    guard: "deps.log.warn('a job was not archived', { runId: run.runId, jobId: job.id, error });",
    without: 'throw error;',
    test: 'test/dispatch/history/history.test.ts',
  },
];
