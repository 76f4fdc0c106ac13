import type { FlinkConfiguration } from '../config/configuration.ts';
import { JOB_MANAGER_MEMORY as M } from '../options/flink.ts';
import type { FlinkRules } from '../version.ts';
import { processMemory, unsatisfied, withLegacyHeap, type FlinkMemoryRules } from './process.ts';
import { showMemory } from './size.ts';

/**
 * JobManagerProcessUtils.processSpecFromConfig: the JobManager's process size in MiB, cut to whole ones as
 * MemorySize.getMebiBytes does. @throws DispatchError `InvalidConfiguration`
 */
export function jobManagerMebibytes(configuration: FlinkConfiguration, rules: FlinkRules): number {
  const mapped = rules.readsLegacyHeap ? withLegacyHeap(configuration, M) : configuration;
  return Number(processMemory(mapped, M, JOB_MANAGER_RULES) >> 20n);
}

/** JobManagerFlinkMemoryUtils. */
const JOB_MANAGER_RULES: FlinkMemoryRules = {
  fineGrained: [M.heap],

  fromFineGrained(configuration) {
    const heap = configuration.getOptional(M.heap) ?? 0n;
    const flink = configuration.getOptional(M.flink);
    const offHeap = configuration.get(M.offHeap);
    if (flink === undefined) return heap + offHeap;
    if (configuration.contains(M.offHeap) && heap + offHeap !== flink) {
      throw unsatisfied(configuration, M.flink, [
        `is not the sum of ${M.heap.key} (${showMemory(heap)}) and ${M.offHeap.key} (${showMemory(offHeap)})`,
      ]);
    }
    if (heap > flink) throw unsatisfied(configuration, M.flink, [`is less than ${M.heap.key} (${showMemory(heap)})`]);
    return flink;
  },

  checkTotal(configuration, total) {
    const offHeap = configuration.get(M.offHeap);
    if (total > offHeap) return;
    const cause = configuration.contains(M.flink) ? M.flink : M.process;
    throw unsatisfied(configuration, cause, [
      `leaves ${showMemory(total)} to Flink, which is not more than ${M.offHeap.key} (${showMemory(offHeap)})`,
    ]);
  },
};
