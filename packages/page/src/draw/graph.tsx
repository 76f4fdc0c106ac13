import type { JSX } from 'preact';
import type { SampledVertex } from '../../../../lib/flink/job-history.ts';
import type { SampleSeries, VertexPoint } from '../../../../lib/run/samples/series.ts';
import { span } from '../../../../lib/view/words.ts';
import { count, percent } from '../format.ts';
import { Cell, Rows } from '../parts.tsx';
import { layout, type Placed } from './layout.ts';

const NODE = { width: 204, height: 74 };
const GAP = { x: 56, y: 18 };
const NAME = 26;

/** The job's graph as it was sampled last. The table under it says the same in words. */
export function Graph({ series: { job, points, totals } }: { readonly series: SampleSeries }): JSX.Element {
  const places = layout(job.vertices.map(({ id, inputs }) => ({ id, inputs: inputs.map((input) => input.id) })));
  const all = [...places.values()];
  const width = (Math.max(0, ...all.map(({ column }) => column)) + 1) * (NODE.width + GAP.x) - GAP.x;
  const height = (Math.max(0, ...all.map(({ row }) => row)) + 1) * (NODE.height + GAP.y) - GAP.y;
  const now = points.at(-1)?.vertices ?? {};
  return (
    <>
      <div class="graph" tabIndex={0} role="region" aria-label="The job’s graph">
        <svg width={width + 4} height={height + 4} viewBox={`-2 -2 ${width + 4} ${height + 4}`} aria-hidden="true">
          {job.vertices.flatMap(({ id, inputs }) =>
            inputs.map(({ id: from, ship }) => (
              <path key={`${from}-${id}`} class="edge" d={edge(places.get(from), places.get(id))}>
                <title>{ship}</title>
              </path>
            )),
          )}
          {job.vertices.map((vertex) => (
            <Vertex key={vertex.id} vertex={vertex} at={places.get(vertex.id)} now={now[vertex.id]} />
          ))}
        </svg>
      </div>
      <Rows caption="Vertices" columns={COLUMNS}>
        {job.vertices.map(({ id, name, parallelism }) => {
          const { recordsIn, recordsOut, busy, backPressured, watermarkLag } = now[id] ?? {};
          return (
            <tr key={id}>
              <Cell name="Vertex">{name}</Cell>
              <Cell name="Subtasks">{parallelism}</Cell>
              <Cell name="In, all">{count(totals[id]?.recordsIn)}</Cell>
              <Cell name="Out, all">{count(totals[id]?.recordsOut)}</Cell>
              <Cell name="In/s">{count(recordsIn)}</Cell>
              <Cell name="Out/s">{count(recordsOut)}</Cell>
              <Cell name="Busy">{percent(busy)}</Cell>
              <Cell name="Backpressured">{percent(backPressured)}</Cell>
              <Cell name="Watermark lag">{watermarkLag !== undefined && span(watermarkLag)}</Cell>
            </tr>
          );
        })}
      </Rows>
    </>
  );
}

const COLUMNS = [
  ...['Vertex', 'Subtasks', 'In, all', 'Out, all', 'In/s', 'Out/s'],
  ...['Busy', 'Backpressured', 'Watermark lag'],
];

function Vertex({
  vertex: { name, parallelism },
  at,
  now,
}: {
  readonly vertex: SampledVertex;
  readonly at: Placed | undefined;
  readonly now: VertexPoint | undefined;
}): JSX.Element | null {
  if (at === undefined) return null;
  const { busy, backPressured, recordsIn, recordsOut } = now ?? {};
  const rate = recordsOut === undefined || recordsOut === 0 ? recordsIn : recordsOut;
  return (
    <g transform={`translate(${at.column * (NODE.width + GAP.x)} ${at.row * (NODE.height + GAP.y)})`}>
      <title>{name}</title>
      <rect class="node" width={NODE.width} height={NODE.height} rx="4" />
      <text x="8" y="18" class="name">
        {name.length > NAME ? `${name.slice(0, NAME - 1)}…` : name}
      </text>
      <text x="8" y="35">
        × {parallelism}
        {rate !== undefined && `, ${count(rate)} records/s`}
      </text>
      <Share y={42} label="busy" share={busy} />
      <Share y={57} label="backpressured" share={backPressured} />
    </g>
  );
}

function Share({
  y,
  label,
  share,
}: {
  readonly y: number;
  readonly label: string;
  readonly share: number | undefined;
}) {
  const length = 60;
  if (share === undefined) return null;
  return (
    <>
      <rect class="whole" x="8" y={y + 3} width={length} height="7" />
      <rect class={`share share-${label}`} x="8" y={y + 3} width={length * share} height="7" />
      <text x={length + 14} y={y + 11}>
        {label} {percent(share)}
      </text>
    </>
  );
}

function edge(from: Placed | undefined, to: Placed | undefined): string {
  if (from === undefined || to === undefined) return '';
  const x1 = from.column * (NODE.width + GAP.x) + NODE.width;
  const y1 = from.row * (NODE.height + GAP.y) + NODE.height / 2;
  const x2 = to.column * (NODE.width + GAP.x);
  const y2 = to.row * (NODE.height + GAP.y) + NODE.height / 2;
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
