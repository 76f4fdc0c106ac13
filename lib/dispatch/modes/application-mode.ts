import { defined } from '../../core/defined.ts';
import { isTerminal } from '../../flink/job-state.ts';
import { hasHighAvailability } from '../../job/high-availability.ts';
import { replaceNotes, updateAttempt } from '../../run/machine.ts';
import { cancelOf } from '../../run/stop-request.ts';
import { haveEnded, jobsOf } from '../../verdict/jobs.ts';
import type { Observation } from '../../verdict/observation.ts';
import type { ActiveRun } from '../../run/record.ts';
import { firstJobManager } from '../../verdict/verdict.ts';
import { withRun, type AttemptContext } from '../attempt-context.ts';
import { keepLogs } from '../evidence.ts';
import type { Mode } from './mode.ts';
import { makeCluster, ownerOf, removeCluster, withdraw } from './own-cluster.ts';
import { observe } from '../look/observe.ts';
import { planCluster } from '../plan-cluster.ts';
import { renewDelivery, renewedUntil } from '../renew-delivery.ts';

/** A cluster of its own for every attempt, which begins the program by itself and goes with it. */
export const applicationMode: Mode = {
  launch,
  observe,
  async act(at, observation) {
    await passOnCancel(at, observation);
    const identified = withRun(at, noteIdentity(at, observation));
    const once = await startOnce(withRun(at, noteProgram(identified, observation)));
    const renewed = await renewDelivery(withRun(at, once), ownerOf(at));
    return { record: await keepLogs(withRun(at, renewed), observation) };
  },
  revokeStart: withdraw,
  removeAndVerify: removeCluster,
};

async function launch(at: AttemptContext<ActiveRun>): Promise<ActiveRun> {
  const { run, job, attempt, ref, deps } = at;
  const { clusterId, jobId, restoredFrom } = attempt;
  const delivery = await deps.deliver(job, ref, defined({ tenant: run.tenant }));
  const plan = planCluster(job, { clusterId, jobId, owner: ownerOf(at), delivery, ...defined({ restoredFrom }) });
  const made = await makeCluster(at, plan);
  return renewedUntil(updateAttempt(made, defined({ fastStart: delivery.fastStart })), delivery.renewAt);
}

/** What a look tells of the attempt's objects: the first Deployment and the first JobManager are the ones that count. */
function noteIdentity({ run, attempt }: AttemptContext<ActiveRun>, { kubernetes }: Observation): ActiveRun {
  const { deployment } = kubernetes;
  const jobManager = attempt.jobManager ?? firstJobManager(kubernetes);
  const uid = attempt.deploymentUid ?? (deployment.state === 'present' ? deployment.uid : undefined);
  if (jobManager === attempt.jobManager && uid === attempt.deploymentUid) return run;
  return updateAttempt(run, defined({ jobManager, deploymentUid: uid }));
}

/** What a look tells of the program: that a job has finished, and since when main() goes on, or has gone, after its jobs. */
function noteProgram({ run, attempt, deps }: AttemptContext<ActiveRun>, observation: Observation): ActiveRun {
  const { rest } = observation;
  if (rest.state === 'unreachable') return run;
  const jobs = jobsOf(observation, run);
  const now = deps.clock.now();
  const jobFinished = attempt.jobFinished === true || jobs.some(({ state }) => state === 'FINISHED');
  const jobsEndedAt = haveEnded(jobs) ? (attempt.jobsEndedAt ?? now) : undefined;
  const mainReturnedAt = rest.main?.state === 'returned' ? (attempt.mainReturnedAt ?? now) : undefined;
  const isKnown = attempt.jobsEndedAt === jobsEndedAt && attempt.mainReturnedAt === mainReturnedAt;
  if (isKnown && jobFinished === (attempt.jobFinished ?? false)) return run;
  return replaceNotes(run, { jobsEndedAt, mainReturnedAt, jobFinished: jobFinished || undefined });
}

/** Without high availability the first JobManager is the only one: once it has started, no other one may. */
async function startOnce(at: AttemptContext<ActiveRun>): Promise<ActiveRun> {
  const { run, job, attempt, deps } = at;
  if (attempt.jobManager === undefined || attempt.startRevokedAt !== undefined) return run;
  if (hasHighAvailability(job.options)) return run;
  try {
    return await withdraw(at);
  } catch (error) {
    deps.log.warn('the permit to start was not withdrawn', { runId: run.runId, error });
    return run;
  }
}

/**
 * Asks every job that goes on to stop: main() may begin one after another. Asking again does no harm; a JobManager that does
 * not hear it loses its cluster when the grace is over.
 */
export async function passOnCancel(at: AttemptContext<ActiveRun>, observation: Observation): Promise<void> {
  const { run, attempt, ref, target, deps } = at;
  if ((cancelOf(run) ?? attempt.abortOutcome) === undefined) return;
  const going = jobsOf(observation, run).filter(({ state }) => !isTerminal(state));
  const jobManager = target.jobManager(ref);
  for (const { id } of going) {
    try {
      await jobManager.cancel(id);
    } catch (error) {
      deps.log.warn('cancel was not taken', { runId: run.runId, jobId: id, error });
    }
  }
}
