import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { javaTool } from '../../infra/local/flink/tools.ts';
import type { Variant } from './account.ts';

const execute = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'Counter.java');

/**
 * Jars of Counter.java, one for each of the job's versions, compiled against the distribution at `flinkHome`; they run on
 * every Flink from there on.
 */
export async function buildCounters<V extends Variant>(
  flinkHome: string,
  variants: readonly V[],
): Promise<Readonly<Record<V, Buffer>>> {
  const work = await mkdtemp(join(tmpdir(), 'counter-'));
  try {
    const lib = join(flinkHome, 'lib');
    const jars = (await readdir(lib)).filter((name) => name.startsWith('flink-dist')).map((name) => join(lib, name));
    const classes = join(work, 'classes');
    const javac = ['--release', '11', '-nowarn', '-classpath', jars.join(':'), '-d', classes, SOURCE];
    await execute(javaTool('javac'), javac);
    const built: [V, Buffer][] = [];
    for (const variant of variants) built.push([variant, await jarOf(variant, classes, work)]);
    return Object.fromEntries(built) as Record<V, Buffer>;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function jarOf(variant: Variant, classes: string, work: string): Promise<Buffer> {
  const folder = join(work, variant);
  await mkdir(folder);
  await writeFile(join(folder, 'variant'), variant);
  const jar = join(work, `${variant}.jar`);
  const main = ['--main-class', 'dispatch.counter.Counter'];
  await execute(javaTool('jar'), ['--create', '--file', jar, ...main, '-C', classes, '.', '-C', folder, '.']);
  return readFile(jar);
}
