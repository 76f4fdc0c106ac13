import { isRecord } from '../../core/json.ts';
import { namesOf } from '../../flink/config/old-names.ts';
import { mergePodTemplates } from './pod-template.ts';
import type { JobSpec } from './spec.ts';

type Path = readonly string[];

const COMPONENTS = [
  ['jobManager', 'jobmanager'],
  ['taskManager', 'taskmanager'],
] as const;

/** Fields that a Flink option says as well. Within one layer the field decides; between layers the higher one does. */
const FIELD_OF_OPTION: Readonly<Record<string, Path>> = {
  'kubernetes.container.image': ['image'],
  'kubernetes.container.image.ref': ['image'],
  'kubernetes.container.image.pull-policy': ['imagePullPolicy'],
  'kubernetes.service-account': ['serviceAccount'],
  'parallelism.default': ['job', 'parallelism'],
  'execution.savepoint.path': ['job', 'initialSavepointPath'],
  'execution.state-recovery.path': ['job', 'initialSavepointPath'],
  'execution.savepoint.ignore-unclaimed-state': ['job', 'allowNonRestoredState'],
  'execution.state-recovery.ignore-unclaimed-state': ['job', 'allowNonRestoredState'],
  'kubernetes.jobmanager.replicas': ['jobManager', 'replicas'],
  ...Object.fromEntries(
    COMPONENTS.flatMap(([field, option]): [string, Path][] => [
      [`kubernetes.${option}.cpu`, [field, 'resource', 'cpu']],
      [`kubernetes.${option}.cpu.amount`, [field, 'resource', 'cpu']],
      [`${option}.memory.process.size`, [field, 'resource', 'memory']],
      [`${option}.memory.flink.size`, [field, 'resource', 'memory']],
    ]),
  ),
};

/** What the first field says is void when a higher layer says the second, for the first would win over it. */
const OVERRULED: readonly (readonly [Path, Path])[] = [
  [
    ['taskManager', 'replicas'],
    ['job', 'parallelism'],
  ],
  [
    ['jobManager', 'resources'],
    ['jobManager', 'resource'],
  ],
  [
    ['taskManager', 'resources'],
    ['taskManager', 'resource'],
  ],
];

/**
 * One spec of several, lowest layer first: maps merge key by key, pod templates as they merge with each other, and
 * everything else, lists too, is replaced by the higher layer.
 */
export function mergeLayers(layers: readonly JobSpec[]): JobSpec {
  return layers.reduce<JobSpec>((below, above) => merge(withoutOverruled(below, above), above) as JobSpec, {});
}

function withoutOverruled(below: JobSpec, above: JobSpec): JobSpec {
  const options = Object.keys(above.flinkConfiguration ?? {});
  const said = options.flatMap((key) => (Object.hasOwn(FIELD_OF_OPTION, key) ? [FIELD_OF_OPTION[key] ?? []] : []));
  const saidAbove = (path: Path): boolean => at(above, path) !== undefined || said.some((field) => same(field, path));
  const stale = OVERRULED.filter(([winner, other]) => saidAbove(other) && !saidAbove(winner)).map(([winner]) => winner);
  const inResources = said.filter((path) => path[1] === 'resource').map(([component = '']) => [component, 'resources']);
  const otherNames = options.flatMap(namesOf).map((name) => ['flinkConfiguration', name]);
  return [...said, ...stale, ...inResources, ...otherNames].reduce<JobSpec>(
    (spec, path) => without(spec, path) as JobSpec,
    below,
  );
}

function same(a: Path, b: Path): boolean {
  return a.join('.') === b.join('.');
}

function at(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return value;
  return isRecord(value) ? at(value[key], rest) : undefined;
}

function without(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined || !isRecord(value) || !(key in value)) return value;
  const { [key]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [key]: without(inner, rest) };
}

function merge(below: unknown, above: unknown): unknown {
  if (above === undefined) return below;
  if (!isRecord(below) || !isRecord(above)) return above;
  const result: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const merged = key === 'podTemplate' ? mergePodTemplates(below[key], value) : merge(below[key], value);
    if (merged !== undefined) result[key] = merged;
  }
  return result;
}
