import { DispatchError } from '../core/errors.ts';
import type { DispatchConfig, TargetConfig } from '../job/config/dispatch-config.ts';
import type { ResolvedJob } from '../job/job.ts';
import type { DeliveryDeps } from './delivery-deps.ts';
import type { Deliver } from './delivery.ts';
import { fetchDelivery } from './fetch.ts';
import { mountDelivery } from './mount.ts';

/** Delivers each job the way that its target is configured for. @throws DispatchError `UnknownTarget` */
export function createDelivery(deployment: Pick<DispatchConfig, 'targets'>, deps: DeliveryDeps): Deliver {
  return (job, ref) => wayOf(targetOf(deployment, job).jarDelivery, deps)(job, ref);
}

function wayOf(config: TargetConfig['jarDelivery'], deps: DeliveryDeps): Deliver {
  switch (config.kind) {
    case 'fetch':
      return fetchDelivery(config, deps);
    case 'mount':
      return mountDelivery(config, deps);
    case 'bundle':
      return async (job, ref) => {
        const [{ bundleDelivery }, bundle] = await Promise.all([import('./bundle.ts'), deps.bundle()]);
        return bundleDelivery(config, bundle)(job, ref);
      };
  }
}

function targetOf({ targets }: Pick<DispatchConfig, 'targets'>, { target }: ResolvedJob): TargetConfig {
  const config = Object.hasOwn(targets, target) ? targets[target] : undefined;
  if (config !== undefined) return config;
  throw new DispatchError('UnknownTarget', `there is no target '${target}'`, { field: 'target' });
}
