import { parentPort, workerData } from 'node:worker_threads';
import { FAULT_KINDS, type FaultKind } from './faults.ts';
import { play } from './world.ts';

/** Seeds `first`, then `from`, `from + step`, … below `to`. */
export interface Work {
  readonly first: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Ends at the first violation. */
  readonly untilFirst: boolean;
  /** Of what the worlds are; absent: of everything. */
  readonly only?: 'deployments';
}

export interface Tally {
  worlds: number;
  runs: number;
  upgrades: number;
  steps: number;
  readonly faults: Record<FaultKind, number>;
  readonly violations: { readonly seed: number; readonly invariant: string; readonly detail: string }[];
}

export function emptyTally(): Tally {
  const faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Tally['faults'];
  return { worlds: 0, runs: 0, upgrades: 0, steps: 0, faults, violations: [] };
}

const REPORT_EVERY = 10;

function* seedsOf({ first, from, to, step }: Work): Generator<number> {
  yield* first;
  for (let seed = from; seed < to; seed += step) yield seed;
}

async function work(wanted: Work): Promise<void> {
  let tally = emptyTally();
  const report = (): void => {
    parentPort?.postMessage(tally);
    tally = emptyTally();
  };
  for (const seed of seedsOf(wanted)) {
    const { runs, upgrades, steps, faults, violations } = await play({ seed, only: wanted.only });
    tally.worlds += 1;
    tally.runs += runs;
    tally.upgrades += upgrades;
    tally.steps += steps;
    for (const { kind } of faults) tally.faults[kind] += 1;
    tally.violations.push(...violations.map((violation) => ({ seed, ...violation })));
    if (wanted.untilFirst && violations.length > 0) break;
    if (tally.worlds % REPORT_EVERY === 0) report();
  }
  report();
}

if (parentPort !== null) await work(workerData as Work);
