import { noteAdopted } from '../../deployment/adopt.ts';
import type { DeploymentRecord, DeploymentRun } from '../../deployment/record.ts';
import { hasAttempt, isEnded } from '../../run/machine.ts';
import type { LaunchedRun, RunRecord } from '../../run/record.ts';
import { changeRun } from '../change-run.ts';
import type { DispatchDeps } from '../deps.ts';
import { requestOf } from './start-run.ts';
import type { Found } from './take-snapshot.ts';

/** From now on its record says whose it is, and how its state is kept. One that has ended meanwhile stays as it is. */
export async function adoptRun(
  own: DeploymentRun,
  record: DeploymentRecord,
  deps: DispatchDeps,
): Promise<Found | undefined> {
  const { id, generation } = own;
  const { job } = await requestOf(record, generation, deps);
  const adopted = (run: RunRecord): RunRecord | undefined => {
    if (run.deployment !== undefined) return run;
    if (isEnded(run.state) || run.cancelRequested !== undefined || !hasAttempt(run)) return undefined;
    const { notes = [] } = run.job;
    return startingFrom({ ...run, job: { ...job, notes }, deployment: { id: record.id, generation } });
  };
  if ((await changeRun(id, adopted, deps)) === undefined) return undefined;
  deps.log.info('a run is one of a deployment', { deployment: record.id, generation, runId: id });
  return (it) => noteAdopted(it, own, deps.clock.now());
}

const RESTORE_PATHS = ['execution.state-recovery.path', 'execution.savepoint.path'];

/** What it began from was an option of its own: an attempt to which it has left no state begins there, too. */
function startingFrom(run: LaunchedRun): RunRecord {
  const path = RESTORE_PATHS.map((key) => run.job.options[key]).find((one) => one !== undefined && one !== '');
  return path === undefined ? run : { ...run, startFrom: { kind: 'savepoint', path } };
}
