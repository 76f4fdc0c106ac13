import type { Duration } from '../core/clock.ts';
import { isEnded } from '../run/machine.ts';
import type { RunRecord } from '../run/record.ts';
import type { DispatchDeps } from './deps.ts';

/** Kept jars expire after 90 days, and are renewed once they are 30 days old: several looks may fail. */
const PERIOD: Duration = 10 * 24 * 60 * 60_000;

/**
 * Keeps the jar of a run that has not ended, however long it waits or runs: a retry, or a JobManager that Kubernetes makes
 * anew, needs it. What goes wrong here is no reason to give the run up.
 */
export async function keepJar(
  { runId, state, job, createdAt, updatedAt }: RunRecord,
  deps: DispatchDeps,
): Promise<void> {
  const { pinned } = job?.jar ?? {};
  const period = (at: number): number => Math.floor((at - createdAt) / PERIOD);
  if (pinned === undefined || isEnded(state) || period(deps.clock.now()) === period(updatedAt)) return;
  try {
    await deps.keepJar(pinned);
  } catch (error) {
    deps.log.warn('the jar was not kept for longer', { runId, error });
  }
}
