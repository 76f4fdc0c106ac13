/** Milliseconds. */
export type Samples = Readonly<Record<Name, readonly number[]>>;
type Name = 'client' | 'process' | 'warm' | 'floor';

interface Spread {
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

interface Goal {
  readonly what: string;
  readonly ratio: number;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly pass: boolean;
}

export interface Summary {
  readonly ms: Readonly<Record<Name, Spread>>;
  readonly goals: { readonly warmToFloor: Goal; readonly clientToProcess: Goal };
  readonly pass: boolean;
}

const LABELS: Readonly<Record<Name, string>> = {
  client: 'bin/flink run -d',
  process: 'flink-dispatch run -d',
  warm: 'warm function',
  floor: 'four bare POSTs',
};
const MOST_OVER_FLOOR = 1.5;
const LEAST_TIMES_FASTER = 5;

export function summarise(samples: Samples): Summary {
  const { client, process, warm, floor } = samples;
  const ms = { client: spread(client), process: spread(process), warm: spread(warm), floor: spread(floor) };
  const overFloor = round(ms.warm.median / ms.floor.median, 2);
  const faster = round(ms.client.median / ms.process.median, 2);
  const goals = {
    warmToFloor: {
      ...{ what: 'warm function / four bare POSTs', ratio: overFloor, atMost: MOST_OVER_FLOOR },
      pass: overFloor <= MOST_OVER_FLOOR,
    },
    clientToProcess: {
      ...{ what: 'bin/flink / flink-dispatch', ratio: faster, atLeast: LEAST_TIMES_FASTER },
      pass: faster >= LEAST_TIMES_FASTER,
    },
  };
  return { ms, goals, pass: goals.warmToFloor.pass && goals.clientToProcess.pass };
}

/** For people. */
export function table({ ms, goals }: Summary): string {
  const row = (cells: readonly string[]) =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(24) : cell.padStart(10))).join('');
  const rows = (Object.keys(LABELS) as Name[]).map((name) => {
    const { n, min, median, max } = ms[name];
    return row([LABELS[name], String(n), ...[min, median, max].map((value) => value.toFixed(1))]);
  });
  const verdicts = Object.values(goals).map(({ what, ratio, atMost, atLeast, pass }: Goal) => {
    const goal = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
    return `${pass ? 'pass' : 'FAIL'}  ${what}: ${ratio.toFixed(2)} (goal: ${goal})`;
  });
  return [row(['create a cluster, ms', 'samples', 'min', 'median', 'max']), ...rows, '', ...verdicts].join('\n');
}

/** For programs. */
export function jsonLine({ ms, goals, pass }: Summary, flink: string): string {
  return JSON.stringify({ bench: 'dispatch', flink, ms, goals, pass });
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? NaN;
  const median = (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2;
  return { n: sorted.length, min: round(at(0), 1), median: round(median, 1), max: round(at(sorted.length - 1), 1) };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
