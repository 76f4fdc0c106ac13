import { isDispatchError } from '../../core/errors.ts';
import { compareState, type StateCheck } from '../../deployment/check/state-check.ts';
import type { DeploymentRecord, NextRun } from '../../deployment/record.ts';
import { ignoresUnclaimedState } from '../../job/state-options.ts';
import { hasAttempt } from '../../run/machine.ts';
import type { RunRecord } from '../../run/record.ts';
import type { DispatchDeps } from '../deps.ts';
import { newestOf, storedCheckpoints } from '../state/snapshots.ts';
import type { Found } from './take-snapshot.ts';

type Result = Omit<StateCheck, 'at'>;

/**
 * Compares the operators of the next run with what is in the newest snapshot of the present one: the savepoint that the
 * upgrade will take has the same operators. What cannot be told holds nothing up.
 */
export async function checkState(
  next: NextRun,
  record: DeploymentRecord,
  run: RunRecord | undefined,
  deps: DispatchDeps,
): Promise<Found> {
  const result = await resultOf(next, record, run, deps);
  const checked: StateCheck = { at: deps.clock.now(), ...result };
  return (it) => (it.next?.id === next.id ? { ...it, next: { ...it.next, checked } } : it);
}

async function resultOf(
  next: NextRun,
  record: DeploymentRecord,
  run: RunRecord | undefined,
  deps: DispatchDeps,
): Promise<Result> {
  const made = (await deps.ledger.read(next.id))?.value;
  const { operators } = made?.prepared ?? {};
  if (made === undefined || !hasAttempt(made) || operators === undefined) return unknown('the next run has no plan');
  try {
    const path = await newestPath(record, run, deps);
    if (path === undefined) return { result: 'fits' };
    const content = await deps.state(path).content(path);
    if (content === undefined) return unknown(`there is no complete snapshot at ${path} any more`);
    const isAllowed = ignoresUnclaimedState(made.job.options) === true;
    return { path, ...compareState(content, operators, { isAllowed }) };
  } catch (error) {
    if (!isDispatchError(error)) throw error;
    if (error.reason === 'StateStorageUnavailable' && deps.clock.now() < next.until) throw error;
    return unknown(error.message);
  }
}

function unknown(message: string): Result {
  return { result: 'unknown', message };
}

/** Its own newest checkpoint; else what it began from, which the same job has taken. */
async function newestPath(
  { run: own, newest }: DeploymentRecord,
  run: RunRecord | undefined,
  deps: DispatchDeps,
): Promise<string | undefined> {
  const checkpoints = run === undefined || !hasAttempt(run) ? [] : await storedCheckpoints(run, deps.state);
  return (newestOf(checkpoints) ?? own?.startFrom ?? newest)?.path;
}
