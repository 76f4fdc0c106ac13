import { FlinkConfiguration } from '../../flink/config/configuration.ts';
import { TASK_MANAGER_MEMORY } from '../../flink/options/flink.ts';
import { option } from '../../flink/options/option.ts';
import type { AllowList } from '../config/dispatch-config.ts';
import type { FlinkOptions } from '../job.ts';

const MOST_SLOTS = option.int('slotmanager.number-of-slots.max');

/**
 * A program may set its own parallelism, whatever the options say; Flink's own limit on slots holds it to the
 * deployment's number of TaskManagers.
 * @throws DispatchError `InvalidConfiguration` for numbers that are none
 */
export function withSlotLimit(options: FlinkOptions, allow: AllowList): FlinkOptions {
  const configuration = new FlinkConfiguration(true, Object.entries(options));
  const slots = Math.max(1, configuration.get(TASK_MANAGER_MEMORY.slots));
  const most = allow.maxResources.taskManagers * slots;
  const asked = configuration.getOptional(MOST_SLOTS) ?? most;
  return { ...options, [MOST_SLOTS.key]: String(asked > 0 ? Math.min(asked, most) : most) };
}

/** The slots that a job may have in all; undefined where its options do not say. */
export function slotLimit(options: FlinkOptions): number | undefined {
  return new FlinkConfiguration(true, Object.entries(options)).getOptional(MOST_SLOTS);
}
