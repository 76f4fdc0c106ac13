import { defined } from '../../core/defined.ts';
import { removeAndVerify } from '../../kubernetes/cluster/remove-and-verify.ts';
import type { Removal, RunOwner, StartAnswer } from '../../kubernetes/cluster/port.ts';
import { created, currentAttempt, isEnded, updateAttempt } from '../../run/machine.ts';
import type { ActiveRun, LaunchedRun, RunRecord } from '../../run/record.ts';
import { cancelOf } from '../../run/stop-request.ts';
import type { AttemptContext } from '../attempt-context.ts';
import type { PlannedCluster } from '../plan-cluster.ts';
import { placeFor } from './place.ts';

/** Makes the cluster of an attempt, or finds it; its JobManager starts unless the attempt was given up meanwhile. */
export async function makeCluster(at: AttemptContext<ActiveRun>, plan: PlannedCluster): Promise<ActiveRun> {
  const { run, target, deps } = at;
  const owner = ownerOf(at);
  const place = await placeFor(plan, owner, at);
  let deploymentUid: string | undefined;
  try {
    await target.cluster.apply(plan, owner, async (uid) => {
      deploymentUid = uid;
      await place.settle();
      return mayStart(at, uid);
    });
  } finally {
    await place.giveBack();
  }
  // On record before the first look: a launch that was held up makes another one when this one is gone.
  return created(updateAttempt(run, defined({ deploymentUid })), deps.clock.now());
}

export function removeCluster(
  at: AttemptContext,
  what: { readonly highAvailability: boolean },
): Promise<readonly string[]> {
  return removeAndVerify(at.target.cluster, at.ref, { ...what, ...meant(at) });
}

/** The attempt's own Deployment: by its uid, or while that is not known by whose it says it is. */
function meant(at: AttemptContext): Pick<Removal, 'uid' | 'owner'> {
  return { owner: ownerOf(at), ...defined({ uid: at.attempt.deploymentUid }) };
}

export function ownerOf({ run, attempt, deps }: AttemptContext): RunOwner {
  return { kind: 'run', runId: run.runId, attempt: attempt.number, ledger: deps.eventContext.ledgerBucket };
}

export async function withdraw<R extends LaunchedRun>(at: AttemptContext<R>): Promise<R> {
  await at.target.cluster.revoke(at.ref, ownerOf(at));
  return updateAttempt(at.run, { startRevokedAt: at.deps.clock.now() });
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
