import { DispatchError } from '../core/errors.ts';
import type { DispatchConfig } from '../job/config/dispatch-config.ts';
import type { LiveRuns } from '../run/store/live-runs.ts';
import type { RunRequest } from '../trigger/request.ts';

interface QuotaDeps {
  readonly live: Pick<LiveRuns, 'list'>;
  readonly prepare: { readonly deployment: Pick<DispatchConfig, 'tenants'> };
}

/**
 * Keeps one tenant from taking the functions' time from all others. Requests that come at the same moment may pass it
 * together: what no one may pass is the namespace's ResourceQuota.
 * @throws DispatchError `NotAllowed`
 */
export async function checkQuota({ tenant }: RunRequest, { live, prepare }: QuotaDeps): Promise<void> {
  const limit = tenant === undefined ? undefined : prepare.deployment.tenants[tenant]?.quotas.liveRuns;
  if (tenant === undefined || limit === undefined) return;
  const runs = await live.list({ tenant, limit });
  if (runs.length < limit) return;
  const message = `tenant ${tenant} has ${limit} live runs, as many as tenants.${tenant}.quotas.liveRuns lets it have`;
  throw new DispatchError('NotAllowed', message, { field: 'tenant' });
}
