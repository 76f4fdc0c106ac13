import { readFileSync } from 'node:fs';
import { TestRunner, type RunnerTestCase, type RunnerTestSuite } from 'vitest';
import { journal, note } from './journal.ts';
import { keysOf, KNOWN_FILE, MUTANTS_FILE, type SourceMutant } from './mutants.ts';

/** What the instrumented source reads and writes. */
interface Switches {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number;
  mutantCoverage?: {
    static: Record<string, number>;
    perTest: Record<string, Record<string, number>>;
  };
}

interface Known {
  /** Mutants that no other test needs to look at. */
  readonly noticed: Set<string>;
  /** Tests that have seen all of theirs. */
  readonly done: ReadonlySet<string>;
  /** `test mutant` */
  readonly tried: ReadonlySet<string>;
}

/** A loop that a mutant makes endless is cut after so many times as often as without it. */
const ENDLESS = 100;
/** A test that hangs otherwise is ended with its worker after so many times its time, and so many milliseconds. */
const LONGER = 10;
const PATIENCE = 2_000;

const shared = globalThis as { __stryker__?: Switches; __mutation__?: Known };
const switches = (shared.__stryker__ ??= {});
const known = (shared.__mutation__ ??= whatIsKnown());

/** Runs each test once as it is, and once more with each mutant that it comes by and that no test has noticed yet. */
export default class MutationRunner extends TestRunner {
  async runTask(test: RunnerTestCase): Promise<void> {
    if (known.done.has(test.id)) return;
    switches.currentTestId = test.id;
    await TestRunner.getTestFn(test)();
    switches.currentTestId = undefined;
    const hits = Object.entries(switches.mutantCoverage?.perTest[test.id] ?? {});
    if (hits.length > 0) await withEach(test, hits);
    note({ kind: 'done', test: test.id });
  }
}

async function withEach(test: RunnerTestCase, hits: readonly (readonly [string, number])[]): Promise<void> {
  const name = test.fullTestName;
  note({ kind: 'covers', test: test.id, mutants: hits.map(([id]) => id) });
  const began = performance.now();
  if ((await failureOf(test)) !== undefined) {
    note({ kind: 'once', name });
    return;
  }
  const ms = Math.round(LONGER * (performance.now() - began) + PATIENCE);
  for (const [mutant, count] of hits) {
    if (known.noticed.has(mutant) || known.tried.has(`${test.id} ${mutant}`)) continue;
    note({ kind: 'try', test: test.id, name, mutant, ms });
    Object.assign(switches, { activeMutant: mutant, hitCount: 0, hitLimit: ENDLESS * count + 1_000 });
    if ((await failureOf(test)) !== undefined) {
      known.noticed.add(mutant);
      note({ kind: 'noticed', mutant, by: name });
    }
    switches.activeMutant = undefined;
    switches.hitCount = undefined;
  }
}

/** By earlier runs of the room, and by the workers of this one. */
function whatIsKnown(): Known {
  const before = new Set(JSON.parse(readFileSync(KNOWN_FILE, 'utf8')) as string[]);
  const mutants = JSON.parse(readFileSync(MUTANTS_FILE, 'utf8')) as SourceMutant[];
  const keys = keysOf(mutants);
  const noticed = mutants.filter((_, index) => before.has(keys[index] ?? '')).map(({ id }) => id);
  const entries = journal();
  return {
    noticed: new Set([...noticed, ...entries.flatMap((entry) => (entry.kind === 'noticed' ? [entry.mutant] : []))]),
    done: new Set(entries.flatMap((entry) => (entry.kind === 'done' ? [entry.test] : []))),
    tried: new Set(entries.flatMap((entry) => (entry.kind === 'try' ? [`${entry.test} ${entry.mutant}`] : []))),
  };
}

/** The test once more, with what comes before each of its suites' tests. */
async function failureOf(test: RunnerTestCase): Promise<unknown> {
  try {
    for (const suite of suitesOf(test)) {
      for (const hook of TestRunner.getSuiteHooks(suite).beforeEach) await hook(test.context, suite);
    }
    await TestRunner.getTestFn(test)();
    return undefined;
  } catch (error) {
    return error ?? 'failed';
  }
}

/** From the outermost. */
function suitesOf({ suite, file }: RunnerTestCase): readonly RunnerTestSuite[] {
  const chain: RunnerTestSuite[] = [];
  for (let it: RunnerTestSuite | undefined = suite; it !== undefined; it = it.suite) chain.unshift(it);
  return chain.includes(file) ? chain : [file, ...chain];
}
