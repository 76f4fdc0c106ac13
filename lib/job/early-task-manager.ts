import { FlinkConfiguration } from '../flink/config/configuration.ts';
import { FLINK, TASK_MANAGER_MEMORY } from '../flink/options/flink.ts';
import { hasHighAvailability } from './high-availability.ts';
import type { FlinkOptions, ResolvedJob } from './job.ts';
import { slotLimit } from './policy/policy-resources.ts';

/** Flink 1.19 and later (FLINK-15959): while its TaskManagers have fewer slots, the ResourceManager asks for more. */
const LEAST = 'slotmanager.number-of-slots.min';
/** What somebody says of it by another option, and what a least number could contradict: Flink would refuse to start. */
const SAID = /^slotmanager\.(?:number-of-slots\.min|min-total-resource\.|max-total-resource\.)/;

/**
 * Has the first TaskManager start beside main(), and not after it. One slot is one TaskManager, which every job needs for
 * as long as it runs: a job that is scaled down, or takes less than it declared, keeps no other one by it. Not
 * - for a cluster that is to outlive its job: Flink would not let an idle TaskManager go;
 * - with high availability: a JobManager that comes back asks for one before it has heard of those that are there, and
 *   lets the others go;
 * - for the adaptive scheduler where one is not enough: it would begin on the first, and again when the others come;
 * - in standalone mode, where Kubernetes starts TaskManagers at once.
 */
export function earlyTaskManager(job: ResolvedJob): FlinkOptions {
  const { options, mode, afterEnd } = job;
  if (mode !== 'application' || afterEnd.keepCluster !== 'never' || hasHighAvailability(options)) return {};
  if (Object.keys(options).some((key) => SAID.test(key)) || !oneSuffices(options)) return {};
  return (slotLimit(options) ?? 1) >= 1 ? { [LEAST]: '1' } : {};
}

function oneSuffices(options: FlinkOptions): boolean {
  const configuration = new FlinkConfiguration(true, Object.entries(options));
  if (configuration.get(FLINK.scheduler).toLowerCase() !== 'adaptive') return true;
  return (configuration.getOptional(FLINK.parallelism) ?? 1) <= configuration.get(TASK_MANAGER_MEMORY.slots);
}
