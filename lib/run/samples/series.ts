import type { Duration, Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import type { CheckpointSample, SampledJob, SampledVertex, VertexCounts } from '../../flink/job-history.ts';
import type { Sample } from './sample.ts';

/** What a vertex did since the sample before. */
export interface VertexPoint {
  /** Of its subtasks together, by the second. */
  readonly recordsIn?: number;
  readonly recordsOut?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
  /** Shares of its time, from 0 to 1. */
  readonly busy?: number;
  readonly idle?: number;
  readonly backPressured?: number;
  /** By how much its lowest watermark is behind the time of the sample. */
  readonly watermarkLag?: Duration;
}

export interface SamplePoint {
  readonly at: Instant;
  /** By the ids of vertices. */
  readonly vertices: Readonly<Record<string, VertexPoint>>;
  /** `age`: since it was complete. */
  readonly checkpoint?: CheckpointSample & { readonly age: Duration };
  readonly checkpoints?: { readonly completed: number; readonly failed: number };
  readonly heap?: { readonly used: number; readonly max: number };
  readonly restarts?: number;
  readonly taskManagers?: number;
}

/** All that was sampled of an attempt, oldest first. */
export interface SampleSeries {
  /** As it was sampled last: its graph, and what Flink has counted. */
  readonly job: SampledJob;
  readonly totals: Readonly<Record<string, VertexCounts>>;
  readonly points: readonly SamplePoint[];
}

/** Samples in order of time as what is drawn; undefined where there are none. */
export function seriesOf(samples: readonly Sample[]): SampleSeries | undefined {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  return { job: last.job, totals: byVertex(last, (_, counts) => counts), points: samples.map(pointOf) };
}

function pointOf(sample: Sample, index: number, all: readonly Sample[]): SamplePoint {
  const { at, checkpoint, checkpoints, heap, restarts, taskManagers } = sample;
  const previous = all[index - 1];
  // Vertices of two jobs may have the same ids.
  const before = previous?.job.id === sample.job.id ? previous : undefined;
  return {
    at,
    vertices: byVertex(sample, (vertex, counts) => vertexPoint(vertex, counts, { at, before })),
    ...defined({
      checkpoint: checkpoint && { ...checkpoint, age: Math.max(0, at - checkpoint.at) },
      ...{ checkpoints, heap, restarts, taskManagers },
    }),
  };
}

function byVertex<T>(
  { job, counts }: Sample,
  make: (vertex: SampledVertex, counts: VertexCounts) => T,
): Readonly<Record<string, T>> {
  const made = job.vertices.map((vertex, index) => {
    const counted = counts[index];
    return counted === undefined ? [] : [[vertex.id, make(vertex, counted)] as const];
  });
  return Object.fromEntries(made.flat());
}

function vertexPoint(
  vertex: SampledVertex,
  counts: VertexCounts,
  { at, before }: { readonly at: Instant; readonly before: Sample | undefined },
): VertexPoint {
  const { watermark } = counts;
  const lag = watermark === undefined ? undefined : Math.max(0, at - watermark);
  const earlier = before && countsBefore(vertex, before);
  const seconds = (at - (before?.at ?? at)) / 1000;
  if (earlier === undefined || seconds <= 0 || beganAnew(earlier, counts)) return defined({ watermarkLag: lag });
  const share = (key: 'busy' | 'idle' | 'backPressured'): number | undefined => {
    const [from, to] = [earlier[key], counts[key]];
    if (from === undefined || to === undefined) return undefined;
    return Math.min(1, Math.max(0, (to - from) / (seconds * 1000 * vertex.parallelism)));
  };
  return {
    recordsIn: (counts.recordsIn - earlier.recordsIn) / seconds,
    recordsOut: (counts.recordsOut - earlier.recordsOut) / seconds,
    bytesIn: (counts.bytesIn - earlier.bytesIn) / seconds,
    bytesOut: (counts.bytesOut - earlier.bytesOut) / seconds,
    ...defined({ busy: share('busy'), idle: share('idle'), backPressured: share('backPressured') }),
    ...defined({ watermarkLag: lag }),
  };
}

/** With another parallelism other tasks count. */
function countsBefore({ id, parallelism }: SampledVertex, { job, counts }: Sample): VertexCounts | undefined {
  const index = job.vertices.findIndex((one) => one.id === id);
  return job.vertices[index]?.parallelism === parallelism ? counts[index] : undefined;
}

/** Its tasks were started again since: they count from nothing. */
function beganAnew(before: VertexCounts, now: VertexCounts): boolean {
  const keys = ['recordsIn', 'recordsOut', 'bytesIn', 'bytesOut', 'busy', 'idle', 'backPressured'] as const;
  return keys.some((key) => (now[key] ?? Infinity) < (before[key] ?? 0));
}
