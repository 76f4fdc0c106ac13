import { defined } from '../../core/defined.ts';
import { isTerminal } from '../../flink/job-state.ts';
import { removeAndVerify } from '../../kubernetes/cluster/remove-and-verify.ts';
import type { Removal, RunOwner, StartAnswer } from '../../kubernetes/cluster/port.ts';
import { hasHighAvailability } from '../../job/high-availability.ts';
import { created, currentAttempt, isEnded, replaceNotes, updateAttempt } from '../../run/machine.ts';
import { cancelOf } from '../../run/stop-request.ts';
import { haveEnded, jobsOf } from '../../verdict/jobs.ts';
import type { Observation } from '../../verdict/observation.ts';
import type { ActiveRun, LaunchedRun, RunRecord } from '../../run/record.ts';
import { firstJobManager } from '../../verdict/verdict.ts';
import { withRun, type AttemptContext } from '../attempt-context.ts';
import { keepLogs } from '../evidence.ts';
import type { Mode } from './mode.ts';
import { placeFor } from './place.ts';
import { observe } from '../look/observe.ts';
import { planCluster } from '../plan-cluster.ts';
import { renewDelivery, renewedUntil } from '../renew-delivery.ts';

/** A cluster of its own for every attempt, which begins the program by itself and goes with it. */
export const applicationMode: Mode = {
  launch: makeCluster,
  observe,
  async act(at, observation) {
    await passOnCancel(at, observation);
    const identified = withRun(at, noteIdentity(at, observation));
    const once = await startOnce(withRun(at, noteProgram(identified, observation)));
    const renewed = await renewDelivery(withRun(at, once), ownerOf(at));
    return { record: await keepLogs(withRun(at, renewed), observation) };
  },
  revokeStart: withdraw,
  removeAndVerify: (at, what) => removeAndVerify(at.target.cluster, at.ref, { ...what, ...meant(at) }),
};

/** The attempt's own Deployment: by its uid, or while that is not known by whose it says it is. */
function meant(at: AttemptContext): Pick<Removal, 'uid' | 'owner'> {
  return { owner: ownerOf(at), ...defined({ uid: at.attempt.deploymentUid }) };
}

function ownerOf({ run, attempt, deps }: AttemptContext): RunOwner {
  return { kind: 'run', runId: run.runId, attempt: attempt.number, ledger: deps.eventContext.ledgerBucket };
}

async function makeCluster(at: AttemptContext<ActiveRun>): Promise<ActiveRun> {
  const { run, job, attempt, ref, target, deps } = at;
  const { clusterId, jobId, restoredFrom } = attempt;
  const owner = ownerOf(at);
  const delivery = await deps.deliver(job, ref);
  const plan = planCluster(job, { clusterId, jobId, owner, delivery, ...defined({ restoredFrom }) });
  const place = await placeFor(plan, owner, at);
  try {
    await target.cluster.apply(plan, owner, async (uid) => {
      await place.settle();
      return mayStart(at, uid);
    });
  } finally {
    await place.giveBack();
  }
  return renewedUntil(created(run, deps.clock.now()), delivery.renewAt);
}

/** By the record as it is now: nobody has given the attempt up meanwhile, or is about to. */
async function mayStart({ run, attempt: { number }, deps }: AttemptContext, uid: string): Promise<StartAnswer> {
  const now = (await deps.ledger.read(run.runId))?.value;
  const attempt = now === undefined ? undefined : currentAttempt(now);
  if (now === undefined || attempt === undefined || attempt.number !== number) return 'rollback';
  const isCounted = attempt.deploymentUid === undefined || attempt.deploymentUid === uid;
  if (!isCounted || !isLookedFor(now)) return 'rollback';
  const begins = !isEnded(now.state) && cancelOf(now) === undefined && attempt.startRevokedAt === undefined;
  return begins ? 'grant' : 'withhold';
}

/** Whether a look is still to come that finds what was made: the last one of all is that of the clean-up. */
function isLookedFor({ state, keepUntil }: RunRecord): boolean {
  if (state === 'cleaning') return keepUntil !== undefined;
  return state === 'launching' || state === 'starting' || state === 'running' || state === 'ended';
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

async function withdraw<R extends LaunchedRun>(at: AttemptContext<R>): Promise<R> {
  await at.target.cluster.revoke(at.ref, ownerOf(at));
  return updateAttempt(at.run, { startRevokedAt: at.deps.clock.now() });
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
