import { DispatchError } from '../../core/errors.ts';
import type { DeploymentFacts, KubernetesFacts, PoolOwner } from '../../kubernetes/cluster/port.ts';
import { isTerminal } from '../../flink/job-state.ts';
import type { JobSession, PoolPlan } from '../../job/job.ts';
import { created, updateAttempt } from '../../run/machine.ts';
import type { Observation } from '../../verdict/observation.ts';
import type { ActiveRun, Attempt } from '../../run/record.ts';
import { isOver, jobManagerRuns } from '../../verdict/verdict.ts';
import { passOnCancel } from './application-mode.ts';
import { withRun, type AttemptContext } from '../attempt-context.ts';
import type { Acted, Mode } from './mode.ts';
import { observe } from '../look/observe.ts';
import type { PlannedCluster } from '../plan-cluster.ts';
import { placeFor } from './place.ts';
import { joinPool, leavePool, makeSession, planSession, poolOwner, type PoolUse } from './pool.ts';
import { jarNameOf, stillMayCome, submitJob } from './session-submit.ts';

/**
 * A job in a session cluster: uploaded and run through its REST API, under the attempt's own job id. Of the session only
 * the attempt's jar and job are the run's.
 */
export function sessionMode({ pool }: JobSession): Mode {
  return {
    launch: (at) => launch(at, pool),
    observe,
    act,
    async removeAndVerify(at) {
      const left = at.attempt.submission === undefined ? [] : await removeJob(at);
      if (left.length === 0 && pool !== undefined) await leavePool(poolUse(at), at.deps.clock.now());
      return left;
    },
  };
}

async function launch(at: AttemptContext<ActiveRun>, pool: PoolPlan | undefined): Promise<ActiveRun> {
  const { run, ref, target, deps } = at;
  if (pool !== undefined) {
    const { ledgerBucket } = deps.eventContext;
    const plan = planSession(pool, ref, ledgerBucket);
    await joinPool(poolUse(at), pool);
    await makeInItsPlace(at, plan, poolOwner(pool, ledgerBucket));
    return created(run, deps.clock.now());
  }
  const { deployment } = await target.cluster.observe(ref);
  const deploymentUid = standing(deployment, `${ref.clusterId} in namespace ${ref.namespace}`);
  return created(updateAttempt(run, { deploymentUid }), deps.clock.now());
}

/** Its JobManager takes no room that was promised to another cluster. */
async function makeInItsPlace(at: AttemptContext, plan: PlannedCluster, owner: PoolOwner): Promise<void> {
  const place = await placeFor(plan, owner, at);
  try {
    await makeSession(at.target, plan, owner);
    await place.settle();
  } finally {
    await place.giveBack();
  }
}

/** @throws DispatchError `SessionNotFound` */
function standing(deployment: DeploymentFacts, name: string): string {
  const field = { field: 'session.clusterId' };
  if (deployment.state === 'absent') throw new DispatchError('SessionNotFound', `there is no session ${name}`, field);
  if (deployment.deleting) throw new DispatchError('SessionNotFound', `the session ${name} is being deleted`, field);
  if (deployment.owner?.kind !== 'run') return deployment.uid;
  throw new DispatchError(
    'SessionNotFound',
    `${name} is no session: it is the cluster of run ${deployment.owner.runId}`,
    field,
  );
}

async function act(at: AttemptContext<ActiveRun>, observation: Observation): Promise<Acted> {
  const noted = withRun(at, noteSession(at, observation));
  if (at.run.cancelRequested !== undefined || at.attempt.abortOutcome !== undefined) {
    await passOnCancel(noted, observation);
    return { record: noted.run };
  }
  return submitJob(noted, observation);
}

/** The session that the attempt is in: another one of its name is not it. */
function noteSession({ run, attempt }: AttemptContext<ActiveRun>, { kubernetes }: Observation): ActiveRun {
  const { deployment } = kubernetes;
  if (deployment.state === 'absent' || attempt.deploymentUid !== undefined) return run;
  return updateAttempt(run, { deploymentUid: deployment.uid });
}

/**
 * The jar first: a main() that is still on its way cannot submit a job without it, and one that was held up may have come
 * to the next JobManager. Then the job, until it has stopped; it is gone with the JobManager that had it.
 */
async function removeJob(at: AttemptContext): Promise<readonly string[]> {
  const { attempt, ref, target } = at;
  const { jobId, submission } = attempt;
  const kubernetes = await target.cluster.observe(ref);
  if (isGone(attempt, kubernetes)) return [];
  const { jars } = target.session(ref);
  const name = jarNameOf(at);
  for (const { id } of (await jars.list()).filter((jar) => jar.name === name)) await jars.remove(id);
  const left = (await jars.list()).filter((jar) => jar.name === name).map(({ id }) => `Jar/${id}`);
  if (isJobGone(attempt, kubernetes)) return left;
  const jobManager = target.jobManager(ref);
  const job = (await jobManager.overview()).jobs.find(({ id }) => id === jobId);
  if (job !== undefined && !isTerminal(job.state)) {
    await jobManager.cancel(jobId);
    return [...left, `Job/${jobId}`];
  }
  const mayCome = job === undefined && stillMayCome(submission, at.deps.clock.now());
  return mayCome ? [...left, `Job/${jobId} (main() may still submit it)`] : left;
}

/** The session that had the attempt, or every process in it: jars are files of the JobManager's container. */
function isGone(attempt: Attempt, kubernetes: KubernetesFacts): boolean {
  const { deployment } = kubernetes;
  if (deployment.state === 'absent' || deployment.uid !== attempt.deploymentUid) return true;
  return attempt.submission?.highAvailability !== true && !jobManagerRuns(kubernetes);
}

function isJobGone(attempt: Attempt, kubernetes: KubernetesFacts): boolean {
  return attempt.submission?.highAvailability !== true && isOver(attempt, kubernetes);
}

function poolUse({ run, job, attempt, ref, target, deps }: AttemptContext): PoolUse {
  const { namespace, clusterId } = ref;
  const session = { target: job.target, namespace, clusterId };
  return { target, leases: deps.sessions.leases, ref: session, runId: run.runId, since: attempt.launchedAt };
}
