import type { AllowList } from './deployment.ts';
import type { FlinkOptions, ResolvedJob } from './job.ts';
import type { Refusal } from './policy.ts';
import { parseFlinkMemory } from './quantity.ts';

type Component = 'jobmanager' | 'taskmanager';

/** What the pods would take at most, against `allow.maxResources`. */
export function checkResources({ options, taskManagers: asked = 0 }: ResolvedJob, allow: AllowList): Refusal[] {
  const { maxResources: most } = allow;
  const parallelism = count(options, 'parallelism.default', 1);
  const taskManagers = Math.max(asked, Math.ceil(parallelism / slotsOf(options)));
  const replicas = count(options, 'kubernetes.jobmanager.replicas', 1);
  return [
    ...bounded('jobManager.resource.cpu', cpuOf(options, 'jobmanager'), most.cpu, 'cores'),
    ...bounded('taskManager.resource.cpu', cpuOf(options, 'taskmanager'), most.cpu, 'cores'),
    ...bounded('jobManager.resource.memory', memoryOf(options, 'jobmanager'), most.memory, 'bytes'),
    ...bounded('taskManager.resource.memory', memoryOf(options, 'taskmanager'), most.memory, 'bytes'),
    ...bounded('job.parallelism', parallelism, most.parallelism, 'subtasks'),
    ...bounded('taskManager.replicas', taskManagers, most.taskManagers, 'TaskManagers'),
    ...bounded('jobManager.replicas', replicas, 5, 'JobManagers'),
  ];
}

/**
 * A program may set its own parallelism, whatever the options say; Flink's own limit on slots holds it to the
 * deployment's number of TaskManagers.
 */
export function withSlotLimit(options: FlinkOptions, allow: AllowList): FlinkOptions {
  const key = 'slotmanager.number-of-slots.max';
  const most = allow.maxResources.taskManagers * slotsOf(options);
  const asked = count(options, key, most);
  return { ...options, [key]: String(asked > 0 ? Math.min(asked, most) : most) };
}

function bounded(field: string, value: number, most: number, unit: string): Refusal[] {
  if (value <= most) return [];
  const what = Number.isNaN(value) ? 'a value that cannot be read' : `${value} ${unit}`;
  return [{ field, message: `${what} is more than the allowed ${most} ${unit} (allow.maxResources)` }];
}

function slotsOf(options: FlinkOptions): number {
  return Math.max(1, count(options, 'taskmanager.numberOfTaskSlots', 1));
}

/** NaN, which is below no limit, for what is no number. */
function count(options: FlinkOptions, key: string, otherwise: number): number {
  const text = options[key];
  return text === undefined ? otherwise : text.trim() === '' ? NaN : Number(text);
}

/** Flink gives a TaskManager as many cores as slots when nothing is said. */
function cpuOf(options: FlinkOptions, component: Component): number {
  const silent = component === 'taskmanager' ? count(options, 'taskmanager.cpu.cores', slotsOf(options)) : 1;
  const amount = count(options, `kubernetes.${component}.cpu.amount`, silent);
  return amount * Math.max(1, count(options, `kubernetes.${component}.cpu.limit-factor`, 1));
}

/** The process size, or all parts together that are given in its place. */
function memoryOf(options: FlinkOptions, component: Component): number {
  const sizes = Object.entries(options)
    .filter(([key]) => key.startsWith(`${component}.memory.`) && key.endsWith('size'))
    .map(([key, text]) => [key, parseFlinkMemory(text) ?? NaN] as const);
  const whole = sizes.find(([key]) => key === `${component}.memory.process.size`)?.[1];
  const parts = sizes.map(([, size]) => size);
  const used = whole ?? parts.reduce((sum, size) => sum + size, 0);
  return used * Math.max(1, count(options, `kubernetes.${component}.memory.limit-factor`, 1));
}
