import type { JSX } from 'preact';
import type { AttemptView } from '../../../lib/view/run-view.ts';
import type { SamplePoint, SampleSeries, VertexPoint } from '../../../lib/run/samples/series.ts';
import { span } from '../../../lib/view/words.ts';
import { Graph } from './draw/graph.tsx';
import { Plot, type Line } from './draw/plot.tsx';
import type { Point } from './draw/scale.ts';
import { bytes, count, percent, plural } from './format.ts';
import { useLive } from './live.ts';
import { Section } from './parts.tsx';

const EVERY = 10_000;

/** What was sampled of the job of the last attempt that has samples; nothing where none has. */
export function Metrics({
  runId,
  attempts,
  isLive,
}: {
  readonly runId: string;
  readonly attempts: readonly AttemptView[];
  readonly isLive: boolean;
}): JSX.Element | null {
  const last = attempts.at(-1)?.number;
  return last === undefined ? null : <Sampled runId={runId} attempt={last} isLive={isLive} />;
}

function Sampled({
  runId,
  attempt,
  isLive,
}: {
  readonly runId: string;
  readonly attempt: number;
  readonly isLive: boolean;
}): JSX.Element | null {
  const address = `/api/runs/${runId}/attempts/${attempt}/samples`;
  const { data } = useLive<{ readonly series: SampleSeries | null }>(address, isLive ? EVERY : undefined);
  const series = data?.series ?? undefined;
  if (series === undefined) return null;
  return (
    <>
      <Section name="Graph">
        <Graph series={series} />
      </Section>
      <Section name="Metrics">
        <p class="count">
          {plural(series.points.length, 'sample')} of attempt {attempt}
        </p>
        <div class="plots">
          <Plots points={series.points} />
        </div>
      </Section>
    </>
  );
}

function Plots({ points }: { readonly points: readonly SamplePoint[] }): JSX.Element {
  const span0 = { from: points[0]?.at ?? 0, to: points.at(-1)?.at ?? 0 };
  const line = (name: string, value: (point: SamplePoint) => number | undefined): Line => ({
    name,
    points: points.map((point): Point => [point.at, value(point)]),
  });
  const most = (key: keyof VertexPoint) => (point: SamplePoint) => mostOf(point, key);
  const sum = (key: keyof VertexPoint) => (point: SamplePoint) => sumOf(point, key);
  return (
    <>
      <Plot
        {...span0}
        title="Records per second, all vertices"
        lines={[line('in', sum('recordsIn')), line('out', sum('recordsOut'))]}
        write={count}
      />
      <Plot
        {...span0}
        title="The vertex that is most so"
        lines={[line('busy', most('busy')), line('backpressured', most('backPressured'))]}
        write={percent}
        most={1}
      />
      <Plot
        {...span0}
        title="Bytes per second, all vertices"
        lines={[line('in', sum('bytesIn')), line('out', sum('bytesOut'))]}
        write={bytes}
      />
      <Plot {...span0} title="Watermark lag, the largest" lines={[line('', most('watermarkLag'))]} write={span} />
      <Plot
        {...span0}
        title="Checkpoints"
        lines={[
          line('took', ({ checkpoint }) => checkpoint?.duration),
          line('age', ({ checkpoint }) => checkpoint?.age),
        ]}
        write={span}
      />
      <Plot
        {...span0}
        title="Size of a checkpoint"
        lines={[
          line('whole', ({ checkpoint }) => checkpoint?.bytes),
          line('written', ({ checkpoint }) => checkpoint?.written),
        ]}
        write={bytes}
      />
      <Plot
        {...span0}
        title="Heap of the fullest TaskManager"
        lines={[line('used', ({ heap }) => heap?.used), line('limit', ({ heap }) => heap?.max)]}
        write={bytes}
      />
      <Plot {...span0} title="Restarts" lines={[line('', ({ restarts }) => restarts)]} write={count} />
    </>
  );
}

function valuesOf({ vertices }: SamplePoint, key: keyof VertexPoint): readonly number[] {
  return Object.values(vertices).flatMap((vertex) => vertex[key] ?? []);
}

function mostOf(point: SamplePoint, key: keyof VertexPoint): number | undefined {
  const values = valuesOf(point, key);
  return values.length === 0 ? undefined : Math.max(...values);
}

function sumOf(point: SamplePoint, key: keyof VertexPoint): number | undefined {
  const values = valuesOf(point, key);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
