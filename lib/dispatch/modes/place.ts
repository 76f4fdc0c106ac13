import type { Duration } from '../../core/clock.ts';
import { DispatchError } from '../../core/errors.ts';
import type { AdmissibleCluster, Owner, Place } from '../../kubernetes/cluster/port.ts';
import type { AttemptContext } from '../attempt-context.ts';

/** How often, and how far apart in milliseconds, a place is asked for while other clusters are admitted. */
const TRIES = 12;
const BETWEEN_TRIES: Duration = 250;

/**
 * Room for all that the cluster needs, before any of it is made: a JobManager that waits for TaskManagers would hold what
 * another one waits for.
 * @throws DispatchError `QuotaExceeded` while there is no room for it, `QuotaTooSmall` when there will never be
 */
export async function placeFor(
  plan: AdmissibleCluster,
  owner: Owner,
  { target, deps }: AttemptContext,
): Promise<Place> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const place = await target.cluster.admit(plan, owner, deps.clock.now());
    if (place !== 'busy') return place;
    await deps.clock.sleep(BETWEEN_TRIES);
  }
  const message = `Other clusters are being admitted to namespace ${plan.namespace}`;
  throw new DispatchError('QuotaExceeded', message);
}
