/** One upgrade. */
export interface Sample {
  readonly way: string;
  /** Milliseconds from the old job's last number to the new one's first. */
  readonly ms: number;
  /** Milliseconds from the request to the new job's first number. */
  readonly whole: number;
  /** Whether the new job's first number follows the old one's last. */
  readonly exact: boolean;
  readonly faults: readonly string[];
}

interface Row {
  readonly way: string;
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly whole: number;
  readonly exact: number;
}

/** Of each of ours to the script's, by what its name ends with. */
const GOALS = { plain: 0.5, prepared: 0.25 } as const;

/** For people. */
export function table(samples: readonly Sample[], flink: string): string {
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(38) : String(cell).padStart(9))).join('');
  const heading = row([`Flink ${flink}, downtime in ms`, 'upgrades', 'min', 'median', 'max', 'request', 'exact']);
  const lines = rowsOf(samples).map(({ way, n, min, median, max, whole, exact }) =>
    row([way, n, min, median, max, whole, `${exact}/${n}`]),
  );
  const faults = [...new Set(samples.flatMap((sample) => sample.faults.map((fault) => `${sample.way}: ${fault}`)))];
  const verdict = ratiosOf(samples).map(({ way, ratio, goal }) => `${way} / script: ${ratio} (goal: at most ${goal})`);
  return [heading, ...lines, '', ...verdict, ...faults].join('\n');
}

/** For programs. */
export function jsonLine(samples: readonly Sample[], flink: string): string {
  const ratios = ratiosOf(samples);
  const pass = ratios.length > 0 && ratios.every(({ ratio, goal }) => ratio <= goal);
  return JSON.stringify({ bench: 'upgrade', flink, ms: rowsOf(samples), ratios, pass });
}

interface Ratio {
  readonly way: string;
  readonly ratio: number;
  readonly goal: number;
}

function ratiosOf(samples: readonly Sample[]): readonly Ratio[] {
  const rows = rowsOf(samples);
  const script = rows.find(({ way }) => way.startsWith('bin/flink'));
  if (script === undefined) return [];
  return Object.entries(GOALS).flatMap(([way, goal]) => {
    const own = rows.find((row) => row.way.endsWith(way));
    return own === undefined ? [] : [{ way, ratio: Number((own.median / script.median).toFixed(2)), goal }];
  });
}

function rowsOf(samples: readonly Sample[]): readonly Row[] {
  return [...new Set(samples.map(({ way }) => way))].map((way) => {
    const own = samples.filter((sample) => sample.way === way);
    const sorted = own.map(({ ms }) => ms).sort((a, b) => a - b);
    const spread = { min: sorted[0] ?? NaN, median: median(sorted), max: sorted.at(-1) ?? NaN };
    const whole = median(own.map((sample) => sample.whole).sort((a, b) => a - b));
    return { way, n: own.length, ...spread, whole, exact: own.filter(({ exact }) => exact).length };
  });
}

function median(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  return Math.round(((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2);
}
