import type { Sample } from './measure.ts';

const COLUMNS = ['objects', 'jobManager', 'rest', 'taskManager', 'task', 'cpu', 'whole'] as const;
type Column = (typeof COLUMNS)[number];

interface Goal {
  readonly way: string;
  readonly column: Column;
  readonly atMost?: number;
}

/** Of each of ours to Flink's client, by what its name ends with. */
const GOALS: readonly Goal[] = [
  { way: 'plain', column: 'task', atMost: 0.8 },
  { way: 'fastStart', column: 'task', atMost: 0.5 },
  { way: 'fastStart', column: 'cpu', atMost: 0.45 },
  // With the JVM of the client itself.
  { way: 'fastStart', column: 'whole' },
];

export interface Measured {
  readonly flink: string;
  readonly cores: number;
  readonly samples: readonly Sample[];
}

/** For people. */
export function table({ flink, cores, samples }: Measured): string {
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(30) : String(cell).padStart(18))).join('');
  const heading = row([`Flink ${flink}, ${String(cores)} core(s) a pod, s`, 'starts', ...COLUMNS]);
  const lines = waysOf(samples).map((way) => {
    const own = samples.filter((sample) => sample.way === way);
    return row([way, own.length, ...COLUMNS.map((column) => text(spread(own, column)))]);
  });
  const verdicts = ratiosOf(samples).map(
    ({ way, column, ratio, atMost }) =>
      `${way} / bin/flink, ${column}: ${String(ratio)}${atMost === undefined ? '' : ` (goal: at most ${String(atMost)})`}`,
  );
  return [heading, ...lines, '', ...verdicts].join('\n');
}

/** For programs. */
export function jsonLine(measured: readonly Measured[]): string {
  const results = measured.map(({ flink, cores, samples }) => ({
    flink,
    cores,
    seconds: waysOf(samples).map((way) => {
      const own = samples.filter((sample) => sample.way === way);
      return { way, n: own.length, ...Object.fromEntries(COLUMNS.map((column) => [column, spread(own, column)])) };
    }),
    ratios: ratiosOf(samples),
  }));
  const pass = results.every(
    ({ ratios }) => ratios.length > 0 && ratios.every(({ ratio, atMost }) => ratio <= (atMost ?? Infinity)),
  );
  return JSON.stringify({ bench: 'first-task', results, pass });
}

interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

function text({ min, median, max }: Spread): string {
  return `${median.toFixed(1)} (${min.toFixed(1)}-${max.toFixed(1)})`;
}

function spread(samples: readonly Sample[], column: Column): Spread {
  const scale = column === 'cpu' || column === 'whole' ? 1 : 1000;
  const sorted = samples.map((sample) => sample[column] / scale).sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
  const round = (value: number): number => Number(value.toFixed(2));
  return { min: round(sorted[0] ?? NaN), median: round(median), max: round(sorted.at(-1) ?? NaN) };
}

function ratiosOf(samples: readonly Sample[]) {
  const client = samples.filter(({ way }) => way.startsWith('bin/flink'));
  if (client.length === 0) return [];
  return GOALS.flatMap((goal) => {
    const own = samples.filter(({ way }) => way.endsWith(goal.way));
    if (own.length === 0) return [];
    const ratio = spread(own, goal.column).median / spread(client, goal.column).median;
    return [{ ...goal, ratio: Number(ratio.toFixed(2)) }];
  });
}

function waysOf(samples: readonly Sample[]): readonly string[] {
  return [...new Set(samples.map(({ way }) => way))];
}
