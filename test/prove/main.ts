import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { bundleWorker } from './bundle.ts';
import { FAULT_KINDS } from './faults.ts';
import { MUTANTS, TESTED, type Mutant, type TestedMutant } from './mutants.ts';
import SEEDS from './seeds.json' with { type: 'json' };
import { shrink } from './shrink.ts';
import { storyOf } from './story.ts';
import { noticedByTest } from './unit-noticed.ts';
import { emptyTally, type Tally, type Work } from './worker.ts';
import { play, type Plan } from './world.ts';
import { defined } from '../../lib/core/defined.ts';

const USAGE = `npm run prove -- [--runs N] [--from SEED] [--threads N]   plays worlds until N runs were accepted
npm run prove -- --upgrades N [--from SEED] [--threads N]   plays worlds of deployments alone, until N upgrades were made
npm run prove -- --seed N [--deployments] [--whole]         tells one world's story, cut down if it fails
npm run prove -- --mutate [--worlds N] [--only TEXT]        removes guards one at a time, and sees who notices`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(availableParallelism()) },
    upgrades: { type: 'string' },
    seed: { type: 'string' },
    deployments: { type: 'boolean', default: false },
    whole: { type: 'boolean', default: false },
    mutate: { type: 'boolean', default: false },
    worlds: { type: 'string', default: '4000' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function add(to: Tally, from: Tally): void {
  to.worlds += from.worlds;
  to.runs += from.runs;
  to.upgrades += from.upgrades;
  to.steps += from.steps;
  for (const kind of FAULT_KINDS) to.faults[kind] += from.faults[kind];
  to.violations.push(...from.violations);
}

interface Playing {
  /** Seeds that come before all others. */
  readonly first?: readonly number[];
  readonly file: string;
  readonly from: number;
  readonly threads: number;
  /** True: it is enough. */
  readonly enough: (tally: Tally) => boolean;
  readonly untilFirst: boolean;
  readonly only?: Plan['only'];
  readonly onReport?: (tally: Tally) => void;
}

/** Worlds on all threads until it is enough. */
function playMany({ file, first = [], from, threads, enough, untilFirst, only, onReport }: Playing): Promise<Tally> {
  const total = emptyTally();
  return new Promise((resolve, reject) => {
    const workers = Array.from({ length: threads }, (_, index) => {
      const own = first.filter((_, turn) => turn % threads === index);
      const seeds = { first: own, from: from + index, to: Number.MAX_SAFE_INTEGER, step: threads };
      const work: Work = { ...seeds, untilFirst, ...defined({ only }) };
      return new Worker(file, { workerData: work });
    });
    const stop = (): void => {
      void Promise.all(workers.map((worker) => worker.terminate())).then(() => resolve(total));
    };
    for (const worker of workers) {
      worker.on('error', reject);
      worker.on('message', (tally: Tally) => {
        add(total, tally);
        onReport?.(total);
        if (enough(total)) stop();
      });
    }
  });
}

/** Until so many runs were accepted, or upgrades made. */
async function prove(
  most: { readonly runs?: number; readonly upgrades?: number },
  from: number,
  threads: number,
): Promise<boolean> {
  const file = await bundleWorker();
  const begun = Date.now();
  let told = begun;
  const tally = await playMany({
    file,
    from,
    threads,
    untilFirst: false,
    only: most.upgrades === undefined ? undefined : 'deployments',
    enough: (total) => total.runs >= (most.runs ?? Infinity) || total.upgrades >= (most.upgrades ?? Infinity),
    onReport: (total) => {
      if (Date.now() - told < 30_000) return;
      told = Date.now();
      const seeds = total.violations.map(({ seed }) => seed).join(' ');
      console.error(`${total.runs} runs, ${total.upgrades} upgrades, ${total.violations.length} violations ${seeds}`);
    },
  });
  rmSync(file);
  const seconds = (Date.now() - begun) / 1000;
  console.log(
    `${tally.runs} runs, ${tally.upgrades} upgrades in ${tally.worlds} worlds, ${tally.steps} steps, ${seconds.toFixed(0)} s`,
  );
  console.log(
    `${(tally.runs / seconds).toFixed(1)} runs/s, ${(tally.upgrades / seconds).toFixed(1)} upgrades/s on ${threads} threads; seeds from ${from}`,
  );
  const faults = FAULT_KINDS.map((kind) => [kind, tally.faults[kind]] as const);
  console.log(`\nfaults: ${faults.reduce((sum, [, count]) => sum + count, 0)}`);
  for (const [kind, count] of faults) console.log(`  ${kind.padEnd(20)} ${count}`);
  console.log(`\nviolations: ${tally.violations.length}`);
  for (const { seed, invariant, detail } of tally.violations.slice(0, 50)) {
    console.log(`  seed ${seed}: ${invariant}: ${detail}`);
  }
  return tally.violations.length === 0;
}

async function tell(seed: number, only: Plan['only'], whole: boolean): Promise<boolean> {
  const result = await play({ seed, only, tells: true });
  const failed = result.violations.length > 0;
  console.log(storyOf(failed && !whole ? await shrink(result, only) : result));
  return !failed;
}

/** Whether its test fails without the guard. */
function isNoticed(mutant: TestedMutant): boolean {
  const noticed = noticedByTest(mutant);
  console.log(
    `without “${mutant.name}”: ${noticed.by === undefined ? noticed.why : `${mutant.test}: “${noticed.by}”`}`,
  );
  return noticed.by !== undefined;
}

const NAMED = 4;

/** Of worlds in which a defect once showed. */
function seedsOf(only: Plan['only']): readonly number[] {
  return SEEDS.filter((world) => only === ('only' in world ? world.only : undefined)).map(({ seed }) => seed);
}

/** Those that a mutant names before all others. */
function firstOf({ only, seeds = [] }: Mutant): readonly number[] {
  return [...seeds.slice(0, NAMED), ...seedsOf(only), ...seeds.slice(NAMED)];
}

async function mutate(worlds: number, threads: number, only: string | undefined): Promise<boolean> {
  const isChosen = ({ name }: { readonly name: string }): boolean => only === undefined || name.includes(only);
  const chosen = MUTANTS.filter(isChosen);
  const tested = TESTED.filter(isChosen);
  const survivors: { readonly name: string }[] = tested.filter((mutant) => !isNoticed(mutant));
  for (const mutant of chosen) {
    const file = await bundleWorker(mutant);
    const enough = (total: Tally): boolean => total.violations.length > 0 || total.worlds >= worlds;
    const tally = await playMany({
      file,
      first: firstOf(mutant),
      from: 1,
      threads,
      untilFirst: true,
      only: mutant.only,
      enough,
    });
    rmSync(file);
    const [first] = tally.violations;
    const isOwn = first !== undefined && (await play({ seed: first.seed, only: mutant.only })).violations.length === 0;
    if (!isOwn) survivors.push(mutant);
    const how =
      first === undefined
        ? 'SURVIVED'
        : `${isOwn ? '' : 'NO RESULT, also with its guard: '}“${first.invariant}”, seed ${first.seed}`;
    console.log(`without “${mutant.name}”: ${how}, ${tally.runs} runs`);
  }
  const all = chosen.length + tested.length;
  console.log(`\n${all - survivors.length} of ${all} mutants are caught`);
  return survivors.length === 0;
}

async function main(): Promise<boolean> {
  const { runs, upgrades, from, threads, seed, deployments, whole, worlds, only } = values;
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  if (seed !== undefined) return tell(Number(seed), deployments ? 'deployments' : undefined, whole);
  if (values.mutate) return mutate(Number(worlds), Number(threads), only);
  const most = upgrades === undefined ? { runs: Number(runs) } : { upgrades: Number(upgrades) };
  return prove(most, Number(from), Number(threads));
}

process.exitCode = (await main()) ? 0 : 1;
