import type { Clock } from '../core/clock.ts';
import { DispatchError } from '../core/errors.ts';
import type { Deployment, TargetConfig } from '../job/deployment.ts';
import type { ResolvedJob } from '../job/job.ts';
import type { Deliver } from './delivery.ts';
import { fetchDelivery } from './fetch.ts';
import type { SignUrl } from './signed-urls.ts';

export interface DeliveryDeps {
  readonly sign: SignUrl;
  readonly clock: Pick<Clock, 'now'>;
}

/** A target's way, of `jarDelivery.kind`. */
type Way = (config: TargetConfig['jarDelivery'], deps: DeliveryDeps) => Deliver;

const WAYS: Readonly<Record<TargetConfig['jarDelivery']['kind'], Way>> = {
  fetch: fetchDelivery,
};

/** Delivers each job the way that its target is configured for. @throws DispatchError `UnknownTarget` */
export function createDelivery(deployment: Pick<Deployment, 'targets'>, deps: DeliveryDeps): Deliver {
  return (job, ref) => {
    const config = targetOf(deployment, job);
    return WAYS[config.jarDelivery.kind](config.jarDelivery, deps)(job, ref);
  };
}

function targetOf({ targets }: Pick<Deployment, 'targets'>, { target }: ResolvedJob): TargetConfig {
  const config = Object.hasOwn(targets, target) ? targets[target] : undefined;
  if (config !== undefined) return config;
  throw new DispatchError('UnknownTarget', `there is no target '${target}'`, { field: 'target' });
}
