import { DispatchError } from '../core/errors.ts';
import type { DispatchConfig, TargetConfig } from '../job/config/dispatch-config.ts';
import type { ResolvedJob } from '../job/job.ts';
import { NO_ARCHIVES } from './classes/archives.ts';
import { fastDelivery } from './classes/fast-delivery.ts';
import type { DeliveryDeps } from './delivery-deps.ts';
import type { Deliver } from './delivery.ts';
import { fetchDelivery } from './fetch.ts';
import { mountDelivery } from './mount.ts';

/** Delivers each job the way that its target is configured for. @throws DispatchError `UnknownTarget` */
export function createDelivery(deployment: Pick<DispatchConfig, 'targets'>, deps: DeliveryDeps): Deliver {
  return (job, ref, context) => {
    const { jarDelivery } = targetOf(deployment, job);
    // Pods of a target that bundles may have no way to S3: they would wait for what never comes.
    const archives = jarDelivery.kind === 'bundle' ? NO_ARCHIVES : deps.archives;
    return fastDelivery(wayOf(jarDelivery, deps), { ...deps, archives })(job, ref, context);
  };
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
