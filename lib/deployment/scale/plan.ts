import { defined } from '../../core/defined.ts';
import type { JobVertex, Requirements } from '../../flink/job-manager.ts';
import type { Scale } from '../../job/scale.ts';
import type { Generation } from '../record.ts';

/** Whether the job of one takes no more than another parallelism to be that of the other, while it runs. */
export function differInScaleAlone(one: Generation | undefined, other: Generation): boolean {
  const { scale } = one ?? {};
  return scale?.inPlace === true && other.scale?.inPlace === true && scale.of === other.scale.of;
}

/** `4`, or `4, and of single vertices others` */
export function scaleText({ parallelism, vertices }: Scale): string {
  return vertices === undefined ? String(parallelism) : `${parallelism}, and of single vertices others`;
}

type Bounds = Requirements[string];

/** More vertices than that make a record too large. */
const MOST_FIXED = 1000;

export type RescalePlan =
  | {
      readonly kind: 'planned';
      /** The vertices that keep what the program gave them; absent where that cannot be told, and is not needed. */
      readonly fixed?: readonly string[];
      readonly requirements: Requirements;
    }
  /** Only another run can bring it about. */
  | { readonly kind: 'unknown'; readonly message: string }
  /** No run can. */
  | { readonly kind: 'too-much'; readonly message: string };

export interface JobToScale {
  readonly vertices: readonly JobVertex[];
  /** What Flink was last asked for. */
  readonly requirements: Requirements;
  /** What its run's options say of its scale. */
  readonly from: Scale;
  readonly to: Scale;
  /** As an earlier plan for the same job has it. */
  readonly fixed: readonly string[] | undefined;
}

/**
 * What Flink is asked for, so that the job comes to what a new run with these options would be. Flink tells of no vertex whether
 * its program has set its parallelism: one that has another than the options say is taken to be such a one, and is left alone.
 */
export function planRescale(job: JobToScale): RescalePlan {
  const { requirements, from, to } = job;
  const isDefault = from.parallelism !== to.parallelism;
  if (isDefault && job.fixed === undefined && from.parallelism === 1) return { kind: 'unknown', message: ALL_ONE };
  const fixed = job.fixed ?? (from.parallelism === 1 ? undefined : fixedIn(job));
  if (fixed !== undefined && fixed.length > MOST_FIXED) return { kind: 'unknown', message: TOO_MANY };
  const free = Object.keys(from.vertices ?? {}).find((id) => id in requirements && to.vertices?.[id] === undefined);
  if (free !== undefined) return { kind: 'unknown', message: released(free) };
  const wanted = mapValues(requirements, (id, { lowerBound, upperBound }) => {
    const parallelism = to.vertices?.[id] ?? (fixed?.includes(id) === false ? to.parallelism : upperBound);
    return { lowerBound: Math.min(lowerBound, parallelism), upperBound: parallelism };
  });
  const tooMuch = job.vertices.find(({ id, maxParallelism }) => (wanted[id]?.upperBound ?? 0) > maxParallelism);
  if (tooMuch !== undefined) return { kind: 'too-much', message: overMaximum(tooMuch, wanted[tooMuch.id]?.upperBound) };
  return { kind: 'planned', ...defined({ fixed }), requirements: wanted };
}

function mapValues(requirements: Requirements, change: (id: string, of: Bounds) => Bounds): Requirements {
  return Object.fromEntries(Object.entries(requirements).map(([id, of]) => [id, change(id, of)]));
}

function fixedIn({ requirements, from }: JobToScale): readonly string[] {
  const others = Object.entries(requirements).filter(([id]) => from.vertices?.[id] === undefined);
  return others.filter(([, { upperBound }]) => upperBound !== from.parallelism).map(([id]) => id);
}

const ALL_ONE =
  'of a job with parallelism 1 nobody can tell which of its vertices the program itself holds at 1: only another run shows it';
const TOO_MANY = `more than ${MOST_FIXED} of its vertices have a parallelism that the program gave them`;

function released(id: string): string {
  return `pipeline.jobvertex-parallelism-overrides does not name vertex ${id} any more: only another run shows what it has without`;
}

function overMaximum({ id, name, maxParallelism }: JobVertex, parallelism = 0): string {
  const most = `its state is cut into ${maxParallelism} key groups (pipeline.max-parallelism)`;
  return `Parallelism ${parallelism} is too much for vertex ${id} (${name.slice(0, 100)}): ${most}`;
}

/** Whether Flink has been asked for that already. */
export function isRequired(requirements: Requirements, wanted: Requirements): boolean {
  return Object.entries(wanted).every(([id, { lowerBound, upperBound }]) => {
    const now = requirements[id];
    return now?.lowerBound === lowerBound && now.upperBound === upperBound;
  });
}

/** Whether the job runs so. */
export function runsWith(vertices: readonly JobVertex[], wanted: Requirements): boolean {
  return vertices.every(({ id, parallelism, allRun }) => allRun && wanted[id]?.upperBound === parallelism);
}
