import { DispatchError } from '../../core/errors.ts';
import type { FlinkConfiguration } from '../config/configuration.ts';
import { showValue } from '../config/values.ts';
import type { DefaultedOption, Option } from '../options/option.ts';
import { MEMORY_MAX, multiplyMemory, showMemory } from './size.ts';

/** ProcessMemoryOptions: the options of one component, JobManager or TaskManager. */
export interface ProcessMemoryOptions {
  readonly process: Option<bigint>;
  readonly flink: Option<bigint>;
  readonly metaspace: DefaultedOption<bigint>;
  readonly overheadMin: DefaultedOption<bigint>;
  readonly overheadMax: DefaultedOption<bigint>;
  readonly overheadFraction: DefaultedOption<number>;
  readonly legacyHeap: Option<bigint>;
  readonly legacyHeapMb: Option<number>;
}

/** FlinkMemoryUtils: how a component divides Flink's own memory. Each gives the total; each throws when it cannot. */
export interface FlinkMemoryRules {
  /** Options that, all set, decide instead of total sizes. */
  readonly fineGrained: readonly Option<bigint>[];
  fromFineGrained(configuration: FlinkConfiguration): bigint;
  checkTotal(configuration: FlinkConfiguration, total: bigint): void;
}

/**
 * ProcessMemoryUtils.memoryProcessSpecFromConfig: the size of the whole process, and so of the container, in bytes.
 * @throws DispatchError `InvalidConfiguration`
 */
export function processMemory(
  configuration: FlinkConfiguration,
  options: ProcessMemoryOptions,
  rules: FlinkMemoryRules,
): bigint {
  if (rules.fineGrained.every((one) => configuration.contains(one))) {
    const flink = rules.fromFineGrained(configuration);
    return flink + metaspaceAndOverhead(configuration, options, flink);
  }
  const flink = configuration.getOptional(options.flink);
  if (flink !== undefined) {
    rules.checkTotal(configuration, flink);
    return flink + metaspaceAndOverhead(configuration, options, flink);
  }
  const process = configuration.getOptional(options.process);
  if (process === undefined) {
    throw new DispatchError(
      'InvalidConfiguration',
      `set ${options.process.key}, ${options.flink.key}, or all of ${rules.fineGrained.map((one) => one.key).join(', ')}`,
      { field: options.process.key },
    );
  }
  rules.checkTotal(configuration, flinkShare(configuration, options, process));
  return process;
}

/**
 * MemoryBackwardsCompatibilityUtils: before 2.0 the old heap option stands for the process's size where that is not set.
 * The environment variables FLINK_JM_HEAP and FLINK_TM_HEAP are not read: the objects depend on the request alone.
 */
export function withLegacyHeap(configuration: FlinkConfiguration, options: ProcessMemoryOptions): FlinkConfiguration {
  if (configuration.contains(options.process)) return configuration;
  const heapMb = configuration.getOptional(options.legacyHeapMb);
  const heap =
    configuration.getOptional(options.legacyHeap) ?? (heapMb === undefined ? undefined : BigInt(heapMb) << 20n);
  if (heap === undefined) return configuration;
  const mapped = configuration.copy();
  mapped.set(options.process, `${heap}b`);
  return mapped;
}

/** deriveJvmMetaspaceAndOverheadWithTotalProcessMemory: what metaspace and overhead leave of the process. */
function flinkShare(configuration: FlinkConfiguration, options: ProcessMemoryOptions, process: bigint): bigint {
  const metaspace = configuration.get(options.metaspace);
  const overhead = deriveWithFraction(process, overheadRange(configuration, options));
  if (metaspace + overhead > process) {
    throw unsatisfied(configuration, options.process, [
      `is less than the JVM metaspace (${showMemory(metaspace)}) and the JVM overhead (${showMemory(overhead)}) together`,
    ]);
  }
  return process - metaspace - overhead;
}

/** deriveJvmMetaspaceAndOverheadFromTotalFlinkMemory. */
function metaspaceAndOverhead(configuration: FlinkConfiguration, options: ProcessMemoryOptions, flink: bigint): bigint {
  const metaspace = configuration.get(options.metaspace);
  const range = overheadRange(configuration, options);
  const process = configuration.getOptional(options.process);
  if (process === undefined) return metaspace + deriveWithInverseFraction(flink + metaspace, range);
  if (process < flink + metaspace) {
    throw unsatisfied(configuration, options.process, [
      `is less than Flink's memory (${showMemory(flink)}) and the JVM metaspace (${showMemory(metaspace)}) together`,
    ]);
  }
  const overhead = process - flink - metaspace;
  if (overhead > range.max || overhead < range.min) {
    throw unsatisfied(configuration, options.process, [
      `leaves a JVM overhead of ${showMemory(overhead)} beside Flink's memory (${showMemory(flink)}) and the JVM metaspace`,
      `(${showMemory(metaspace)}), outside its range of ${showMemory(range.min)} to ${showMemory(range.max)}`,
    ]);
  }
  return metaspace + overhead;
}

export interface MemoryRange {
  readonly min: bigint;
  readonly max: bigint;
  readonly fraction: number;
}

function overheadRange(configuration: FlinkConfiguration, options: ProcessMemoryOptions): MemoryRange {
  return memoryRange(configuration, options.overheadFraction, options.overheadMin, options.overheadMax);
}

/** RangeFraction. @throws DispatchError when the range is empty or the fraction not in [0, 1). */
export function memoryRange(
  configuration: FlinkConfiguration,
  fractionOption: DefaultedOption<number>,
  minOption?: DefaultedOption<bigint>,
  maxOption?: DefaultedOption<bigint>,
): MemoryRange {
  const fraction = configuration.get(fractionOption);
  const min = minOption === undefined ? 0n : configuration.get(minOption);
  const max = maxOption === undefined ? MEMORY_MAX : configuration.get(maxOption);
  if (minOption !== undefined && maxOption !== undefined && min > max) {
    throw unsatisfied(configuration, minOption, [
      `(${showMemory(min)}) is more than ${maxOption.key} (${showMemory(max)})`,
    ]);
  }
  if (!(fraction >= 0 && fraction < 1))
    throw unsatisfied(configuration, fractionOption, ['is not in the range [0, 1)']);
  return { min, max, fraction };
}

/** ProcessMemoryUtils.deriveWithFraction. */
export function deriveWithFraction(base: bigint, range: MemoryRange): bigint {
  return clamp(multiplyMemory(base, range.fraction), range);
}

/** ProcessMemoryUtils.deriveWithInverseFraction: `base` is what is left beside the part. */
export function deriveWithInverseFraction(base: bigint, range: MemoryRange): bigint {
  return clamp(multiplyMemory(base, range.fraction / (1 - range.fraction)), range);
}

function clamp(size: bigint, range: MemoryRange): bigint {
  if (size > range.max) return range.max;
  return size < range.min ? range.min : size;
}

/** An error that names the option as it was set, with its value. */
export function unsatisfied(
  configuration: FlinkConfiguration,
  option: Option<unknown>,
  detail: readonly string[],
): DispatchError {
  const key = configuration.keyOf(option) ?? option.key;
  const raw = configuration.entries().find(([name]) => name === key)?.[1];
  const shown = raw === undefined ? '(by default)' : showValue(key, raw);
  return new DispatchError('InvalidConfiguration', `${key} ${shown} ${detail.join(' ')}`, { field: key });
}
