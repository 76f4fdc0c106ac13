/** A value at a time; undefined where there was none, which breaks the line. */
export type Point = readonly [at: number, value: number | undefined];

export interface Frame {
  readonly from: number;
  readonly to: number;
  readonly most: number;
  readonly width: number;
  readonly height: number;
}

/** The path of a line, for the attribute `d`; a point that stands alone is a dot. */
export function linePath(points: readonly Point[], { from, to, most, width, height }: Frame): string {
  const x = (at: number): string => ((width * (at - from)) / Math.max(1, to - from)).toFixed(1);
  const y = (value: number): string => (height - (height * value) / (most || 1)).toFixed(1);
  let isOn = false;
  const parts = points.map(([at, value], index) => {
    if (value === undefined) {
      isOn = false;
      return '';
    }
    const isAlone = !isOn && points[index + 1]?.[1] === undefined;
    const part = `${isOn ? 'L' : 'M'}${x(at)} ${y(value)}${isAlone ? 'h1' : ''}`;
    isOn = true;
    return part;
  });
  return parts.join('');
}

/** The least of 1, 2, 5, 10, 20 … that is as large as all: what an axis ends with. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}
