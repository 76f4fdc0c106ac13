import { DispatchError } from '../../core/errors.ts';
import { withNewNames } from '../../flink/config/old-names.ts';
import type { FlinkOptions } from '../job.ts';
import { withoutOperatorOptions } from './operator-options.ts';
import { parseQuantity, toFlinkMemory } from './quantity.ts';
import type { ComponentSpec, JobSpec } from './spec.ts';

/** The spec as Flink's own options, as the Flink Kubernetes operator maps it; a field wins over `flinkConfiguration`. */
export function optionsOf(spec: JobSpec, name: string): FlinkOptions {
  const own = withNewNames(withoutOperatorOptions(spec.flinkConfiguration ?? {}));
  const fields = defined({
    'kubernetes.container.image.ref': spec.image,
    'kubernetes.container.image.pull-policy': spec.imagePullPolicy,
    'kubernetes.service-account': spec.serviceAccount,
    ...componentOptions('jobmanager', spec.jobManager),
    'kubernetes.jobmanager.replicas': spec.jobManager?.replicas?.toString(),
    ...componentOptions('taskmanager', spec.taskManager),
    'parallelism.default': parallelism(spec, own)?.toString(),
    ...restoreOptions(spec),
  });
  return { ...defaults(spec, name), ...own, ...fields };
}

function defaults(spec: JobSpec, name: string): FlinkOptions {
  return {
    'pipeline.name': name,
    ...(spec.job?.upgradeMode === 'last-state' ? { 'execution.checkpointing.interval': '5 min' } : {}),
  };
}

/** `resources`, where it says anything, wins over the older `resource`. */
function componentOptions(
  component: 'jobmanager' | 'taskmanager',
  spec: ComponentSpec | undefined,
): Record<string, string | undefined> {
  const { requests = {}, limits = {} } = spec?.resources ?? {};
  const newer = Object.keys(requests).length + Object.keys(limits).length > 0;
  const cpu = newer ? cores(requests['cpu'] ?? limits['cpu']) : spec?.resource?.cpu;
  const size = newer ? memory(requests['memory'] ?? limits['memory']) : spec?.resource?.memory;
  return {
    [`kubernetes.${component}.cpu.amount`]: cpu?.toString(),
    [`${component}.memory.process.size`]: size,
    [`kubernetes.${component}.cpu.limit-factor`]: factor(requests['cpu'], limits['cpu']),
    [`kubernetes.${component}.memory.limit-factor`]: factor(requests['memory'], limits['memory']),
  };
}

function cores(quantity: string | undefined): number | undefined {
  return quantity === undefined ? undefined : parseQuantity(quantity);
}

function memory(quantity: string | undefined): string | undefined {
  return quantity === undefined ? undefined : toFlinkMemory(quantity);
}

function factor(request: string | undefined, limit: string | undefined): string | undefined {
  if (request === undefined || limit === undefined) return undefined;
  const [asked = 0, most = 0] = [parseQuantity(request), parseQuantity(limit)];
  return asked > 0 ? String(most / asked) : undefined;
}

/** `taskManager.replicas` decides over `job.parallelism`: that many TaskManagers have that many slots. */
function parallelism(spec: JobSpec, options: FlinkOptions): number | undefined {
  const replicas = spec.taskManager?.replicas;
  if (replicas === undefined) return spec.job?.parallelism;
  const text = options['taskmanager.numberOfTaskSlots'] ?? '1';
  if (!/^[1-9]\d{0,4}$/.test(text)) {
    throw new DispatchError(
      'InvalidConfiguration',
      `taskmanager.numberOfTaskSlots must be a number from 1, not '${text}'`,
      {
        field: 'taskmanager.numberOfTaskSlots',
      },
    );
  }
  return replicas * Number(text);
}

function restoreOptions(spec: JobSpec): Record<string, string | undefined> {
  const prefix = spec.flinkVersion === '1.19' ? 'execution.savepoint' : 'execution.state-recovery';
  return {
    [`${prefix}.path`]: spec.job?.initialSavepointPath,
    [`${prefix}.ignore-unclaimed-state`]: spec.job?.allowNonRestoredState?.toString(),
  };
}

function defined(options: Record<string, string | undefined>): FlinkOptions {
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
