import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { BundleDeps } from './bundle.ts';
import type { ClassArchives } from './classes/archives.ts';
import type { SignUrl } from './signed-urls.ts';

/** What the ways of delivery need of the outside. */
export interface DeliveryDeps {
  readonly sign: SignUrl;
  readonly clock: Pick<Clock, 'now'>;
  /** Loaded by deployments that have a target with `bundle` alone. */
  readonly bundle: () => Promise<BundleDeps>;
  /** For jobs with `fastStart`. */
  readonly archives: Pick<ClassArchives, 'find'>;
  readonly log?: Pick<Log, 'warn'>;
}
