import { DispatchError } from '../../core/errors.ts';
import type { FlinkConfiguration } from '../config/configuration.ts';
import { TASK_MANAGER_MEMORY as M } from '../options/flink.ts';
import type { Option } from '../options/option.ts';
import type { FlinkRules } from '../version.ts';
import {
  deriveWithFraction,
  deriveWithInverseFraction,
  memoryRange,
  processMemory,
  unsatisfied,
  withLegacyHeap,
  type FlinkMemoryRules,
} from './process.ts';
import { showMemory } from './size.ts';

/**
 * TaskExecutorProcessUtils.processSpecFromConfig: the TaskManager's process size in MiB. The client needs it for no
 * object, but refuses a cluster whose TaskManagers could not start. @throws DispatchError `InvalidConfiguration`
 */
export function taskManagerMebibytes(configuration: FlinkConfiguration, rules: FlinkRules): number {
  const mapped = rules.readsLegacyHeap ? withLegacyHeap(configuration, M) : configuration;
  const size = processMemory(mapped, M, TASK_MANAGER_RULES);
  checkCpu(configuration);
  return Number(size >> 20n);
}

function checkCpu(configuration: FlinkConfiguration): void {
  const cpu = configuration.getOptional(M.cpu) ?? configuration.get(M.slots);
  if (cpu > 0) return;
  const key = configuration.contains(M.cpu) ? M.cpu.key : M.slots.key;
  throw new DispatchError('InvalidConfiguration', `${key} '${cpu}' must be positive`, { field: key });
}

/** TaskExecutorFlinkMemoryUtils. */
const TASK_MANAGER_RULES: FlinkMemoryRules = {
  fineGrained: [M.taskHeap, M.managed],

  fromFineGrained(configuration) {
    const others = fixedParts(configuration) + (configuration.getOptional(M.managed) ?? 0n);
    const flink = configuration.getOptional(M.flink);
    if (flink === undefined) return others + deriveWithInverseFraction(others, networkRange(configuration));
    checkRest(configuration, flink, others);
    return flink;
  },

  checkTotal(configuration, total) {
    const managed =
      configuration.getOptional(M.managed) ?? deriveWithFraction(total, memoryRange(configuration, M.managedFraction));
    const others = fixedParts(configuration) + managed;
    if (configuration.contains(M.taskHeap)) {
      checkRest(configuration, total, others);
      return;
    }
    const network = deriveWithFraction(total, networkRange(configuration));
    if (others + network > total) throw tooSmall(configuration, total, others + network);
  },
};

/** Framework heap and off-heap, task heap and off-heap. */
function fixedParts(configuration: FlinkConfiguration): bigint {
  return (
    configuration.get(M.frameworkHeap) +
    configuration.get(M.frameworkOffHeap) +
    (configuration.getOptional(M.taskHeap) ?? 0n) +
    configuration.get(M.taskOffHeap)
  );
}

function networkRange(configuration: FlinkConfiguration): ReturnType<typeof memoryRange> {
  return memoryRange(configuration, M.networkFraction, M.networkMin, M.networkMax);
}

/** Network memory is what the others leave, and must lie within its own bounds. */
function checkRest(configuration: FlinkConfiguration, total: bigint, others: bigint): void {
  if (others > total) throw tooSmall(configuration, total, others);
  const { min, max } = networkRange(configuration);
  const network = total - others;
  if (network >= min && network <= max) return;
  throw unsatisfied(configuration, totalOption(configuration), [
    `leaves ${showMemory(network)} of network memory, outside its range of ${showMemory(min)} to ${showMemory(max)}`,
  ]);
}

function tooSmall(configuration: FlinkConfiguration, total: bigint, parts: bigint): DispatchError {
  return unsatisfied(configuration, totalOption(configuration), [
    `leaves ${showMemory(total)} to Flink in the TaskManager, less than the ${showMemory(parts)} of its parts`,
  ]);
}

function totalOption(configuration: FlinkConfiguration): Option<bigint> {
  return configuration.contains(M.flink) ? M.flink : M.process;
}
