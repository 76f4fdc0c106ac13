import type { Clock } from '../core/clock.ts';
import { DispatchError } from '../core/errors.ts';
import type { Deployment, TargetConfig } from '../job/deployment.ts';
import type { ResolvedJob } from '../job/job.ts';
import type { KeepJar } from '../job/pin.ts';
import type { BundleDeps } from './bundle.ts';
import type { Deliver } from './delivery.ts';
import { fetchDelivery } from './fetch.ts';
import { mountDelivery } from './mount.ts';
import type { SignUrl } from './signed-urls.ts';

export interface DeliveryDeps {
  readonly sign: SignUrl;
  readonly keep: KeepJar;
  readonly clock: Pick<Clock, 'now'>;
  /** Loaded by deployments that have a target with `bundle` alone. */
  readonly bundle: () => Promise<BundleDeps>;
}

/** Delivers each job the way that its target is configured for. @throws DispatchError `UnknownTarget` */
export function createDelivery(deployment: Pick<Deployment, 'targets'>, deps: DeliveryDeps): Deliver {
  return async (job, ref, time) => {
    const { pinned } = job.jar;
    const way = wayOf(targetOf(deployment, job).jarDelivery, deps);
    if (time === 'again' && pinned !== undefined) await deps.keep(pinned);
    return way(job, ref);
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

function targetOf({ targets }: Pick<Deployment, 'targets'>, { target }: ResolvedJob): TargetConfig {
  const config = Object.hasOwn(targets, target) ? targets[target] : undefined;
  if (config !== undefined) return config;
  throw new DispatchError('UnknownTarget', `there is no target '${target}'`, { field: 'target' });
}
