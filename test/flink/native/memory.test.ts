import { describe, expect, it } from 'vitest';
import { isDispatchError } from '../../../lib/core/errors.ts';
import { FlinkConfiguration } from '../../../lib/flink/config/configuration.ts';
import { jobManagerMebibytes } from '../../../lib/flink/memory/job-manager.ts';
import { multiplyMemory, parseMemorySize } from '../../../lib/flink/memory/size.ts';
import { taskManagerMebibytes } from '../../../lib/flink/memory/task-manager.ts';
import { flinkRules } from '../../../lib/flink/version.ts';

type Options = Readonly<Record<string, string>>;

/** `jobmanager.memory.` is left out of the keys. */
function jobManager(options: Options, version = '2.3'): number {
  return jobManagerMebibytes(configuration('jobmanager.memory.', options), flinkRules(version));
}

function taskManager(options: Options): number {
  return taskManagerMebibytes(configuration('taskmanager.memory.', options), flinkRules('2.3'));
}

function configuration(prefix: string, options: Options): FlinkConfiguration {
  const entries = Object.entries(options).map(
    ([key, value]) => [/manager\./.test(key) ? key : prefix + key, value] as const,
  );
  return new FlinkConfiguration(true, entries);
}

describe('a memory size', () => {
  it.each([
    ['1', 1n],
    ['1600m', 1600n << 20n],
    [' 2 GB ', 2n << 30n],
    ['3 kibibytes', 3n << 10n],
    ['1tb', 1n << 40n],
    ['7 Bytes', 7n],
  ])('%j', (text, bytes) => {
    expect(parseMemorySize(text)).toBe(bytes);
  });

  it.each(['', 'm', '1.5g', '-1m', '1x', '1 m b', '9223372036854775808', '9999999999g'])('%j is refused', (text) => {
    expect(() => parseMemorySize(text)).toThrow();
  });

  it('is multiplied as a decimal, then cut', () => {
    // BigDecimal.valueOf(0.1f as a double) = 0.10000000149011612
    expect(multiplyMemory(1_677_721_600n, Math.fround(0.1))).toBe(167_772_162n);
    expect(multiplyMemory(10n, 1e-7)).toBe(0n);
    expect(multiplyMemory(10n, 1e21)).toBe(10n ** 22n);
  });
});

describe("the JobManager's container", () => {
  it.each<[string, Options, number]>([
    ['process size', { 'process.size': '1600m' }, 1600],
    ['whole MiB only', { 'process.size': '1678770175' }, 1600],
    ['Flink size: metaspace, and overhead by fraction', { 'flink.size': '2g' }, 2560],
    ['Flink size: overhead at its least', { 'flink.size': '200m' }, 648],
    ['Flink size: overhead at its most', { 'flink.size': '20g' }, 21760],
    ['Flink and process size: overhead is the rest', { 'flink.size': '2g', 'process.size': '2700m' }, 2700],
    ['heap: off-heap by default', { 'heap.size': '1g' }, 1600],
    ['heap and off-heap', { 'heap.size': '1g', 'off-heap.size': '1g' }, 2560],
    ['heap within Flink size', { 'heap.size': '1g', 'flink.size': '2g' }, 2560],
  ])('%s', (_name, options, expected) => {
    expect(jobManager(options)).toBe(expected);
  });

  it.each<[string, Options, RegExp]>([
    ['nothing set', {}, /set jobmanager.memory.process.size/],
    ['no unit of memory', { 'process.size': '2x' }, /process.size '2x' is not valid/],
    ['too small for metaspace and overhead', { 'process.size': '400m' }, /process.size '400m' is less than/],
    ['too small for off-heap', { 'process.size': '500m' }, /leaves 52.000mb to Flink, which is not more than/],
    ['Flink size too small for off-heap', { 'flink.size': '128m' }, /flink.size '128m' leaves/],
    ['parts that are no sum', { 'flink.size': '2g', 'heap.size': '1g', 'off-heap.size': '1m' }, /is not the sum/],
    ['heap beyond Flink size', { 'flink.size': '1g', 'heap.size': '2g' }, /flink.size '1g' is less than/],
    ['process below Flink size', { 'flink.size': '2g', 'process.size': '2g' }, /process.size '2g' is less than/],
    ['overhead out of range', { 'flink.size': '1g', 'process.size': '9g' }, /outside its range of 192.000mb to/],
    ['an empty range', { 'process.size': '2g', 'jvm-overhead.min': '2g' }, /overhead.min '2g' .* is more than/],
    ['a fraction of one', { 'flink.size': '2g', 'jvm-overhead.fraction': '1.0' }, /fraction '1.0' is not in the range/],
  ])('refuses %s, naming key and value', (_name, options, message) => {
    const failure = attempt(() => jobManager(options));
    expect(failure.message).toMatch(message);
    expect(failure).toMatchObject({
      reason: 'InvalidConfiguration',
      field: expect.stringContaining('jobmanager.') as string,
    });
  });

  it('is the old heap size before 2.0, where no process size is set', () => {
    expect(jobManager({ 'jobmanager.heap.size': '1g' }, '1.20')).toBe(1024);
    expect(jobManager({ 'jobmanager.heap.mb': '700' }, '1.19')).toBe(700);
    expect(jobManager({ 'jobmanager.heap.size': '1g', 'process.size': '2g' }, '1.20')).toBe(2048);
    expect(() => jobManager({ 'jobmanager.heap.size': '1g' }, '2.0')).toThrow(/set jobmanager.memory.process.size/);
  });
});

describe("a TaskManager's container", () => {
  it.each<[string, Options, number]>([
    ['process size', { 'process.size': '1728m' }, 1728],
    ['Flink size', { 'flink.size': '1280m' }, 1728],
    ['task heap and managed memory', { 'task.heap.size': '384m', 'managed.size': '512m' }, 1728],
    [
      'all of them, with the network as the rest',
      { 'task.heap.size': '384m', 'managed.size': '512m', 'flink.size': '1280m' },
      1728,
    ],
    ['task heap within Flink size', { 'task.heap.size': '384m', 'flink.size': '1280m' }, 1728],
    ['the old name of managed memory', { 'task.heap.size': '384m', 'taskmanager.memory.size': '512m' }, 1728],
  ])('%s', (_name, options, expected) => {
    expect(taskManager(options)).toBe(expected);
  });

  it.each<[string, Options, RegExp]>([
    ['too little', { 'process.size': '600m' }, /process.size '600m' leaves .* less than the/],
    ['too much managed memory', { 'flink.size': '1g', 'managed.size': '1g' }, /flink.size '1g' leaves/],
    [
      'too little network',
      { 'flink.size': '1g', 'task.heap.size': '300m', 'managed.size': '460m' },
      /of network memory, outside/,
    ],
    [
      'parts beyond the whole',
      { 'flink.size': '500m', 'task.heap.size': '300m', 'managed.size': '460m' },
      /less than the/,
    ],
    ['no cpu', { 'process.size': '2g', 'taskmanager.cpu.cores': '0' }, /cpu.cores '0' must be positive/],
    ['no slots', { 'process.size': '2g', 'taskmanager.numberOfTaskSlots': '0' }, /numberOfTaskSlots '0' must be/],
  ])('refuses %s', (_name, options, message) => {
    expect(attempt(() => taskManager(options)).message).toMatch(message);
  });
});

function attempt(action: () => unknown): Error & { reason?: string; field?: string | undefined } {
  try {
    action();
  } catch (error) {
    if (isDispatchError(error)) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
