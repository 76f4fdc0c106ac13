import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPool } from '../cluster/support/pool.ts';
import { generateShapes } from './generate.ts';
import { disagreements, readFlinkWord } from './judge.ts';
import { openWorld, type ShapeWorld } from './world.ts';

/**
 * `npm run shapes`: main() methods of generated shapes, each dispatched and run by real Flink on the embedded Kubernetes; the
 * event of each is compared with what its JobManager's own log says. Needs a JDK 17. Ends with `N passed, N failed`.
 *
 *   --count N       shapes; default 50
 *   --from N        leaves the first N out; default 0
 *   --seed N        decides what is around each step; default 1
 *   --flink A,B     versions; default 1.20.0,2.3.0
 *   --at-once N     clusters side by side; default 2
 *   --steps 'a b'   this shape alone
 *   --logs FOLDER   keeps the JobManager's log of what failed
 */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '50' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    flink: { type: 'string', default: '1.20.0,2.3.0' },
    'at-once': { type: 'string', default: '2' },
    steps: { type: 'string' },
    logs: { type: 'string' },
  },
});
const versions = values.flink.split(',').sort();
const generated = generateShapes(Number(values.seed), Number(values.count)).slice(Number(values.from));
const shapes = values.steps === undefined ? generated : [values.steps];
const world = await openWorld(versions, (line) => void process.stderr.write(`${line}\n`));
const pool = createPool(Number(values['at-once']));
try {
  const cases = shapes.flatMap((steps) => versions.map((version) => ({ version, steps })));
  const results = await Promise.all(cases.map((one) => pool(() => judge(world, one))));
  const passed = results.filter((isPassed) => isPassed).length;
  process.stdout.write(`${passed} passed, ${results.length - passed} failed\n`);
  process.exitCode = passed === results.length ? 0 : 1;
} finally {
  await world.stop();
}

interface Case {
  readonly version: string;
  readonly steps: string;
}

async function judge(from: ShapeWorld, one: Case): Promise<boolean> {
  try {
    const { data, log } = await from.run(one.version, one.steps);
    const word = readFlinkWord(log);
    const wrong = disagreements(word, data);
    const jobs = word.jobs.map(({ name, state }) => `${name} ${state}`).join(', ') || 'no job';
    row(
      one,
      `${word.end ?? `no end after ${word.steps.at(-1) ?? 'nothing'}`} (${jobs})`,
      `${data.state} ${data.reason ?? ''}`,
      wrong,
    );
    if (wrong.length > 0) await keep(one, log);
    return wrong.length === 0;
  } catch (error) {
    row(one, '?', 'no event', [error instanceof Error ? error.message : String(error)]);
    return false;
  }
}

/** Each as it is known: a run of all takes long. */
function row({ version, steps }: Case, flink: string, event: string, wrong: readonly string[]): void {
  const cells = [version.padEnd(7), steps.padEnd(34), flink.padEnd(44), event.padEnd(26)];
  process.stdout.write(
    `${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${cells.join(' ')} ${wrong.join('; ')}`.trimEnd() + '\n',
  );
}

async function keep({ version, steps }: Case, log: string): Promise<void> {
  if (values.logs === undefined) return;
  await mkdir(values.logs, { recursive: true });
  await writeFile(join(values.logs, `${version} ${steps}.log`), log);
}
