import { DispatchError } from '../core/errors.ts';
import { poolOwner } from '../cluster/marks.ts';
import type { DeploymentFacts } from '../cluster/port.ts';
import { isTerminal } from '../flink/job-state.ts';
import type { JobSession } from '../job/job.ts';
import { created, requireAttempt, updateAttempt } from '../run/machine.ts';
import type { Observation } from '../run/observation.ts';
import type { RunRecord } from '../run/record.ts';
import { isOver, jobManagerRuns } from '../run/verdict.ts';
import { passOnCancel } from './application-mode.ts';
import { clusterOf, requireJob } from './job-of.ts';
import type { Acted, AttemptAt, Mode } from './modes.ts';
import { observe } from './observe.ts';
import { joinPool, leavePool, planSession, type PoolUse } from './pool.ts';
import { jarNameOf, stillMayCome, submitJob } from './session-submit.ts';

/**
 * A job in a session cluster: uploaded and run through its REST API, under the attempt's own job id. Of the session only
 * the attempt's jar and job are the run's.
 */
export const sessionMode: Mode = {
  launch,
  observe: ({ record, target, deps }) => observe(target, clusterOf(record), requireAttempt(record).jobId, deps.clock),
  act,
  async removeAndProve(at) {
    const left = requireAttempt(at.record).submission === undefined ? [] : await removeJob(at);
    if (left.length === 0 && sessionIn(at.record).pool !== undefined) await leavePool(poolUse(at), at.deps.clock.now());
    return left;
  },
};

async function launch(at: AttemptAt): Promise<RunRecord> {
  const { record, target, deps } = at;
  const { pool } = sessionIn(record);
  const ref = clusterOf(record);
  if (pool !== undefined) {
    const { ledgerBucket } = deps.eventContext;
    const cluster = planSession(pool, ref, ledgerBucket);
    await joinPool(poolUse(at), pool);
    await target.clusters.apply(cluster, poolOwner(pool.name, ledgerBucket));
    return created(record, deps.clock.now());
  }
  const { deployment } = await target.clusters.observe(ref);
  const deploymentUid = standing(deployment, `${ref.clusterId} in namespace ${ref.namespace}`);
  return created(updateAttempt(record, { deploymentUid }), deps.clock.now());
}

/** @throws DispatchError `SessionNotFound` */
function standing(deployment: DeploymentFacts, name: string): string {
  const field = { field: 'session.clusterId' };
  if (deployment.state === 'absent') throw new DispatchError('SessionNotFound', `there is no session ${name}`, field);
  if (deployment.deleting) throw new DispatchError('SessionNotFound', `the session ${name} is being deleted`, field);
  if (deployment.runId === undefined || deployment.runId.startsWith('pool/')) return deployment.uid;
  throw new DispatchError(
    'SessionNotFound',
    `${name} is no session: it is the cluster of run ${deployment.runId}`,
    field,
  );
}

async function act(at: AttemptAt, seen: Observation): Promise<Acted> {
  const noted = { ...at, record: noteSession(at.record, seen) };
  if (at.record.cancelRequested !== undefined || requireAttempt(at.record).givenUp !== undefined) {
    await passOnCancel(noted, seen);
    return { record: noted.record };
  }
  return submitJob(noted, seen);
}

/** The session that the attempt is in: another one of its name is not it. */
function noteSession(record: RunRecord, { kubernetes }: Observation): RunRecord {
  const { deployment } = kubernetes;
  if (deployment.state === 'absent' || requireAttempt(record).deploymentUid !== undefined) return record;
  return updateAttempt(record, { deploymentUid: deployment.uid });
}

/**
 * The jar first: a main() that is still on its way cannot submit a job without it, and one that was held up may have come
 * to the next JobManager. Then the job, until it has stopped; it is gone with the JobManager that had it.
 */
async function removeJob(at: AttemptAt): Promise<readonly string[]> {
  const { record, target } = at;
  const { jobId, submission } = requireAttempt(record);
  const ref = clusterOf(record);
  const kubernetes = await target.clusters.observe(ref);
  if (isGone(record, kubernetes)) return [];
  const { jars } = target.session(ref);
  const name = jarNameOf(record);
  for (const { id } of (await jars.list()).filter((jar) => jar.name === name)) await jars.remove(id);
  const left = (await jars.list()).filter((jar) => jar.name === name).map(({ id }) => `Jar/${id}`);
  if (isJobGone(record, kubernetes)) return left;
  const jobManager = target.jobManager(ref);
  const job = (await jobManager.look()).jobs.find(({ id }) => id === jobId);
  if (job !== undefined && !isTerminal(job.state)) {
    await jobManager.cancel(jobId);
    return [...left, `Job/${jobId}`];
  }
  const mayCome = job === undefined && stillMayCome(submission, at.deps.clock.now());
  return mayCome ? [...left, `Job/${jobId} (main() may still submit it)`] : left;
}

/** The session that had the attempt, or every process in it: jars are files of the JobManager's container. */
function isGone(record: RunRecord, kubernetes: Observation['kubernetes']): boolean {
  const attempt = requireAttempt(record);
  const { deployment } = kubernetes;
  if (deployment.state === 'absent' || deployment.uid !== attempt.deploymentUid) return true;
  return attempt.submission?.highAvailability !== true && !jobManagerRuns(kubernetes);
}

function isJobGone(record: RunRecord, kubernetes: Observation['kubernetes']): boolean {
  const attempt = requireAttempt(record);
  return attempt.submission?.highAvailability !== true && isOver(attempt, kubernetes);
}

function sessionIn(record: RunRecord): JobSession {
  const { session } = requireJob(record);
  if (session === undefined) throw new DispatchError('Internal', `run ${record.runId} has no session`);
  return session;
}

function poolUse({ record, target, deps }: AttemptAt): PoolUse {
  const { namespace, clusterId } = clusterOf(record);
  const ref = { target: requireJob(record).target, namespace, clusterId };
  const { launchedAt: since } = requireAttempt(record);
  return { target, leases: deps.sessions.leases, ref, runId: record.runId, since };
}
