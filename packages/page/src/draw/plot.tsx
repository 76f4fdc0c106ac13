import type { JSX } from 'preact';
import { fullTime } from '../format.ts';
import { linePath, roundUp, type Point } from './scale.ts';

const WIDTH = 300;
const HEIGHT = 90;

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

/** One or two lines over time. What it says is also in its caption, so that nobody has to see it. */
export function Plot({
  title,
  lines,
  from,
  to,
  write,
  most,
}: {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly from: number;
  readonly to: number;
  readonly write: (value: number) => string;
  /** Where the axis ends; default: above all values. */
  readonly most?: number;
}): JSX.Element | null {
  const values = lines.flatMap(({ points }) => points.flatMap(([, value]) => value ?? []));
  if (values.length === 0) return null;
  const top = most ?? roundUp(Math.max(...values));
  const frame = { from, to, most: top, width: WIDTH, height: HEIGHT };
  return (
    <figure class="plot">
      <figcaption>
        {title}
        {lines.map(({ name, points }, index) => (
          <span key={name} class={`key key-${index}`}>
            {name} {lastOf(points, write)}
          </span>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="axis" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
        {lines.map(({ name, points }, index) => (
          <path key={name} class={`line line-${index}`} d={linePath(points, frame)} />
        ))}
      </svg>
      <p class="range quiet">
        <span>{fullTime(from)}</span> <span>0 to {write(top)}</span>
      </p>
    </figure>
  );
}

function lastOf(points: readonly Point[], write: (value: number) => string): string {
  const last = points.findLast(([, value]) => value !== undefined)?.[1];
  return last === undefined ? '' : write(last);
}
