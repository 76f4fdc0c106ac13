import { isRunId } from '../../core/ids.ts';
import type { ClusterRef, OwnedCluster } from '../../kubernetes/cluster/port.ts';
import { isTerminal } from '../../flink/job-state.ts';
import { decideIdle, leave, newLease } from '../../run/session-lease.ts';
import type { SessionLease, SessionRef } from '../../run/session-lease.ts';
import { jobManagerRuns } from '../../verdict/verdict.ts';
import { removeSession } from '../modes/pool.ts';
import type { SweepDeps } from './sweep-deps.ts';
import type { Target } from '../targets.ts';

/** A session that has no lease: it lost its ledger's object, and stays as long as a pool does by default. */
const UNKNOWN_POOL = { name: 'unknown', idleAfter: 10 * 60_000 };

/** True for the session of a pool of this deployment: no run's cluster, and never a leaked one. */
export function isPoolSession(cluster: Pick<OwnedCluster, 'owner'>, deps: SweepDeps): boolean {
  return cluster.owner.kind === 'pool' && cluster.owner.ledger === deps.eventContext.ledgerBucket;
}

/** Stops a pool's session that has been idle for its time. What cannot be told now is looked at again. */
export async function sweepSession(
  target: Target,
  ref: SessionRef & ClusterRef,
  stands: boolean,
  deps: SweepDeps,
): Promise<void> {
  try {
    await sweepIdle(target, ref, stands, deps);
  } catch (error) {
    deps.log.warn('a session could not be swept', { ...ref, error });
  }
}

async function sweepIdle(
  target: Target,
  ref: SessionRef & ClusterRef,
  stands: boolean,
  deps: SweepDeps,
): Promise<void> {
  const { leases } = deps;
  const known = await leases.read(ref);
  if (known === undefined && !stands) return;
  const lease = await withoutClosed(known?.value ?? newLease(ref, UNKNOWN_POOL), deps);
  const decision = decideIdle(lease, await jobsOf(target, ref, deps), deps.clock.now());
  if (decision.kind === 'keep') {
    if (known !== undefined && lease !== known.value) await leases.write(lease, known.version);
    return;
  }
  // Somebody else changed it meanwhile, such as a run that joined: the next sweep looks again.
  if (decision.lease !== known?.value && !(await leases.write(decision.lease, known?.version))) return;
  if (decision.kind === 'stop') await stop(target, decision.lease, ref, deps);
}

/** A run leaves before it is closed; a late repeat of its launch may have joined it again. */
async function withoutClosed(lease: SessionLease, deps: SweepDeps): Promise<SessionLease> {
  let left = lease;
  for (const runId of Object.keys(lease.runs).filter(isRunId)) {
    const stored = await deps.ledger.read(runId);
    if (stored === undefined || stored.value.state === 'closed') left = leave(left, runId, deps.clock.now());
  }
  return left;
}

async function stop(target: Target, lease: SessionLease, ref: SessionRef, deps: SweepDeps): Promise<void> {
  deps.log.info('an idle session is stopped', { ...ref, idleSince: lease.idleSince });
  const remains = await removeSession(target, deps.leases, ref);
  if (remains.length > 0) return;
  const now = await deps.leases.read(ref);
  if (now?.value.state === 'stopping') await deps.leases.remove(ref, now.version);
}

/** `undefined`: a JobManager runs and does not answer. */
async function jobsOf(target: Target, cluster: ClusterRef, deps: SweepDeps): Promise<number | undefined> {
  try {
    const { jobs } = await target.jobManager(cluster).overview();
    return jobs.filter(({ state }) => !isTerminal(state)).length;
  } catch (error) {
    if (!jobManagerRuns(await target.cluster.observe(cluster))) return 0;
    deps.log.warn('a session does not say what it runs', { ...cluster, error });
    return undefined;
  }
}
