import { readFileSync, writeFileSync } from 'node:fs';
import { TestRunner, type RunnerTestCase, type RunnerTestFile, type RunnerTestSuite } from 'vitest';
import { keysOf, KNOWN_FILE, MUTANTS_FILE, RESULTS_FILE, type SourceMutant } from './mutants.ts';

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

interface Results {
  /** By mutant: the test that noticed it. */
  readonly killed: Record<string, string>;
  /** By mutant: how many tests ran its line. */
  readonly covered: Record<string, number>;
  /** Tests that fail when they are run once more without a mutant: they prove nothing. */
  readonly once: string[];
}

/** A loop that a mutant makes endless is cut after so many times as often as without it. */
const ENDLESS = 100;

const shared = globalThis as { __stryker__?: Switches; __mutation__?: Results };
const switches = (shared.__stryker__ ??= {});
const results = (shared.__mutation__ ??= { killed: knownBefore(), covered: {}, once: [] });

/** Runs each test once as it is, and once more with each mutant that it comes by and that no test has noticed yet. */
export default class MutationRunner extends TestRunner {
  async runTask(test: RunnerTestCase): Promise<void> {
    switches.currentTestId = test.id;
    await TestRunner.getTestFn(test)();
    switches.currentTestId = undefined;
    const hits = switches.mutantCoverage?.perTest[test.id] ?? {};
    for (const id of Object.keys(hits)) results.covered[id] = (results.covered[id] ?? 0) + 1;
    if (Object.keys(hits).length === 0) return;
    if ((await failureOf(test)) !== undefined) {
      results.once.push(test.fullTestName);
      return;
    }
    for (const [id, count] of Object.entries(hits)) {
      if (results.killed[id] !== undefined) continue;
      Object.assign(switches, { activeMutant: id, hitCount: 0, hitLimit: ENDLESS * count + 1_000 });
      if ((await failureOf(test)) !== undefined) results.killed[id] = test.fullTestName;
      switches.activeMutant = undefined;
      switches.hitCount = undefined;
    }
  }

  override onAfterRunFiles(files: RunnerTestFile[]): void {
    super.onAfterRunFiles(files);
    writeFileSync(RESULTS_FILE, JSON.stringify(results));
  }
}

/** What an earlier run noticed. */
function knownBefore(): Record<string, string> {
  const known = new Set(JSON.parse(readFileSync(KNOWN_FILE, 'utf8')) as string[]);
  const mutants = JSON.parse(readFileSync(MUTANTS_FILE, 'utf8')) as SourceMutant[];
  const keys = keysOf(mutants);
  const noticed = mutants.filter((_, index) => known.has(keys[index] ?? ''));
  return Object.fromEntries(noticed.map(({ id }) => [id, 'an earlier run']));
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
