import type { Duration, Instant } from '../../core/clock.ts';
import type { Autoscale } from '../../job/job.ts';

/** How much a job had to do at one look. */
export interface LoadSample {
  readonly at: Instant;
  /** In how many subtasks each vertex ran that follows the options. */
  readonly parallelism: number;
  /** The share of its time that the busiest of them worked: 0 to 1. */
  readonly busy: number;
  /** The same of the time that it worked or was held back by those after it. */
  readonly held: number;
}

/** From here on nobody can tell how much there is to do: a source with a backlog, too, has it worked off as fast as it goes. */
const SATURATED = 0.95;
/** Of the target: what is so near is let be. */
const TOLERANCE = 0.1;
/** Load that has gone may come again, and too many subtasks harm less than too few. */
const WINDOWS_DOWN = 3;
/** Samples in a window. */
const SAMPLES = 4;
const SHORTEST: Duration = 15_000;
/** Samples that may be missing in a row, and one more. */
const GAP = 3;

export function sampleEvery({ window }: Autoscale): Duration {
  return Math.max(SHORTEST, Math.round(window / SAMPLES));
}

/** Those that a recommendation may rest on: of one parallelism, and without a gap. */
export function recent(samples: readonly LoadSample[], rule: Autoscale): readonly LoadSample[] {
  const last = samples.at(-1);
  if (last === undefined) return [];
  const every = sampleEvery(rule);
  const from = last.at - WINDOWS_DOWN * rule.window - every;
  const broken = samples.findLastIndex(({ at, parallelism }, index) => {
    const { at: next = at } = samples[index + 1] ?? {};
    return parallelism !== last.parallelism || next - at > GAP * every;
  });
  return samples.slice(broken + 1).filter(({ at }) => at >= from);
}

/**
 * Another parallelism, where every sample of the window asks for more, or every one of three windows for less: the least that
 * was asked for. Undefined: none. Never outside of the bounds.
 */
export function recommend(samples: readonly LoadSample[], rule: Autoscale): number | undefined {
  const known = recent(samples, rule);
  const { parallelism } = known.at(-1) ?? {};
  if (parallelism === undefined) return undefined;
  const more = covering(known, rule.window)?.map((sample) => forMore(sample, rule));
  const less = covering(known, WINDOWS_DOWN * rule.window)?.map((sample) => forLess(sample, rule));
  const up = more === undefined ? parallelism : Math.min(rule.max, ...more);
  const down = less === undefined ? parallelism : Math.max(rule.min, ...less);
  if (up > parallelism) return up;
  return down < parallelism ? down : undefined;
}

/** The samples of the last time that is so long; undefined: there are not yet any for all of it. */
function covering(samples: readonly LoadSample[], time: Duration): readonly LoadSample[] | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at - first.at < time) return undefined;
  return samples.filter(({ at }) => at >= last.at - time);
}

function forMore({ parallelism, busy }: LoadSample, { target }: Autoscale): number {
  if (busy >= SATURATED) return 2 * parallelism;
  return busy > target * (1 + TOLERANCE) ? Math.ceil((parallelism * busy) / target) : parallelism;
}

/** So many that they, too, are not near the target. */
function forLess({ parallelism, held }: LoadSample, { target }: Autoscale): number {
  return Math.ceil((parallelism * held) / (target * (1 - TOLERANCE)));
}
