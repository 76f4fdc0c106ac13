import { describeError } from '../core/errors.ts';
import { removeAndProve } from '../cleanup/remove.ts';
import type { Owner, Removal, StartAnswer } from '../cluster/port.ts';
import { hasHighAvailability } from '../job/high-availability.ts';
import { created, currentAttempt, isEnded, requireAttempt, updateAttempt } from '../run/machine.ts';
import type { Observation } from '../run/observation.ts';
import type { RunRecord } from '../run/record.ts';
import { firstJobManager } from '../run/verdict.ts';
import type { DispatchDeps } from './deps.ts';
import { keepLogs } from './evidence.ts';
import { clusterOf, requireJob } from './job-of.ts';
import type { AttemptAt, Mode } from './modes.ts';
import { observe } from './observe.ts';
import { planCluster } from './plan-cluster.ts';
import { renewDelivery, renewedUntil } from './renew-delivery.ts';

/** A cluster of its own for every attempt, which begins the program by itself and goes with it. */
export const applicationMode: Mode = {
  launch: makeCluster,
  observe: ({ record, target, deps }) => observe(target, clusterOf(record), requireAttempt(record).jobId, deps.clock),
  async act(at, seen) {
    await passOnCancel(at, seen);
    const record = await startOnce(noteIdentity(at.record, seen), at);
    const renewed = await renewDelivery({ ...at, record }, ownerOf(record, at.deps));
    return { record: await keepLogs(renewed, seen, at.target, at.deps) };
  },
  keep: withdraw,
  removeAndProve: (at, what) => removeAndProve(at.target.clusters, clusterOf(at.record), { ...what, ...meant(at) }),
};

/** The attempt's own Deployment: by its uid, or while that is not known by whose it says it is. */
function meant({ record, deps }: AttemptAt): Pick<Removal, 'uid' | 'owner'> {
  const { deploymentUid: uid } = requireAttempt(record);
  return { owner: ownerOf(record, deps), ...(uid === undefined ? {} : { uid }) };
}

function ownerOf(record: RunRecord, deps: DispatchDeps): Owner {
  return { runId: record.runId, attempt: requireAttempt(record).number, ledger: deps.eventContext.ledgerBucket };
}

async function makeCluster({ record, target, deps }: AttemptAt): Promise<RunRecord> {
  const job = requireJob(record);
  const { clusterId, jobId } = requireAttempt(record);
  const owner = ownerOf(record, deps);
  const delivery = await deps.deliver(job, clusterOf(record));
  const plan = planCluster(job, { clusterId, jobId, owner, delivery });
  await target.clusters.apply(plan, owner, (uid) => mayStart(record, uid, deps));
  return renewedUntil(created(record, deps.clock.now()), delivery.renewAt);
}

/** By the record as it is now: nobody has given the attempt up meanwhile, or is about to. */
async function mayStart({ runId, attempts }: RunRecord, uid: string, { ledger }: DispatchDeps): Promise<StartAnswer> {
  const now = (await ledger.read(runId))?.value;
  const attempt = now === undefined ? undefined : currentAttempt(now);
  if (now === undefined || attempt === undefined || attempt.number !== attempts.at(-1)?.number) return 'over';
  const isCounted = attempt.deploymentUid === undefined || attempt.deploymentUid === uid;
  if (!isCounted || !isLookedFor(now)) return 'over';
  const begins = !isEnded(now.state) && now.cancelRequested === undefined && attempt.noStartSince === undefined;
  return begins ? 'yes' : 'judged';
}

/** Whether a look is still to come that finds what was made: the last one of all is that of the clean-up. */
function isLookedFor({ state, keepUntil }: RunRecord): boolean {
  if (state === 'cleaning') return keepUntil !== undefined;
  return state === 'launching' || state === 'starting' || state === 'running' || state === 'ended';
}

/** What a look tells of the attempt's objects: the first Deployment and the first JobManager are the ones that count. */
function noteIdentity(record: RunRecord, { kubernetes }: Observation): RunRecord {
  const { deployment } = kubernetes;
  const attempt = requireAttempt(record);
  const jobManager = attempt.jobManager ?? firstJobManager(kubernetes);
  const uid = attempt.deploymentUid ?? (deployment.state === 'present' ? deployment.uid : undefined);
  if (jobManager === attempt.jobManager && uid === attempt.deploymentUid) return record;
  return updateAttempt(record, {
    ...(jobManager === undefined ? {} : { jobManager }),
    ...(uid === undefined ? {} : { deploymentUid: uid }),
  });
}

/** Without high availability the first JobManager is the only one: once it has started, no other one may. */
async function startOnce(record: RunRecord, at: AttemptAt): Promise<RunRecord> {
  const { jobManager, noStartSince } = requireAttempt(record);
  if (jobManager === undefined || noStartSince !== undefined) return record;
  if (hasHighAvailability(requireJob(record).options)) return record;
  try {
    return await withdraw({ ...at, record });
  } catch (error) {
    at.deps.log.warn('the permit to start was not withdrawn', { runId: record.runId, error: describeError(error) });
    return record;
  }
}

async function withdraw({ record, target, deps }: AttemptAt): Promise<RunRecord> {
  await target.permits.withdraw(clusterOf(record), ownerOf(record, deps));
  return updateAttempt(record, { noStartSince: deps.clock.now() });
}

/** Asking again does no harm; a JobManager that does not hear it loses its cluster when the grace is over. */
export async function passOnCancel({ record, target, deps }: AttemptAt, seen: Observation): Promise<void> {
  const { jobId, givenUp } = requireAttempt(record);
  if ((record.cancelRequested ?? givenUp) === undefined || seen.rest.state !== 'answered') return;
  if (!seen.rest.facts.jobs.some((job) => job.id === jobId)) return;
  try {
    await target.jobManager(clusterOf(record)).cancel(jobId);
  } catch (error) {
    deps.log.warn('cancel was not taken', { runId: record.runId, error: describeError(error) });
  }
}
