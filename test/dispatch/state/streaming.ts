import type { StatePlan } from '../../../lib/job/job.ts';
import { updateAttempt } from '../../../lib/run/machine.ts';
import type { ActiveRun, Attempt, RunRecord } from '../../../lib/run/record.ts';
import { runIn } from '../../verdict/observations.ts';

export const PLAN: StatePlan = {
  ...{ upgradeMode: 'savepoint', fallback: 'none', format: 'NATIVE', savepointDeadline: 60_000 },
  ...{ savepointDirectory: 's3://state/sp', checkpointDirectory: 's3://state/chk' },
  ...{ probation: 60_000, rollback: 'automatic', history: { count: 2, age: 1 } },
};
export const HOW = { format: 'NATIVE', drain: false } as const;

/** A stream that runs. */
export function stream(attempt: Partial<Attempt> = {}, change: Partial<RunRecord> = {}): ActiveRun {
  const run = runIn('running', 0);
  return updateAttempt({ ...run, job: { ...run.job, state: PLAN }, ...change } as ActiveRun, attempt);
}
