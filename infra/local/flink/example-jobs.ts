import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache.ts';
import type { FlinkDistribution } from './distribution.ts';
import { javaTool } from './tools.ts';

const execute = promisify(execFile);
const SOURCES = join(import.meta.dirname, 'examples');

/** Runnable jars, each with its main class in the manifest. */
export interface ExampleJobs {
  /** Prints word counts. */
  readonly wordCount: string;
  /** Accumulators orders (1000), largestOrder, revenue; prints the large orders. */
  readonly orderTotals: string;
  /** Fails at run time with `BrokenOrderException: order 3 has no amount`. */
  readonly failingJob: string;
  /** Counts for ever and tells a server of it; its arguments are the server's URL and a version's name. */
  readonly counting: string;
}

const JOBS = {
  wordCount: 'WordCount',
  orderTotals: 'OrderTotals',
  failingJob: 'FailingJob',
  counting: 'Counting',
} as const;

async function fingerprint(version: string): Promise<string> {
  const hash = createHash('sha256').update(version);
  for (const job of Object.values(JOBS)) hash.update(await readFile(join(SOURCES, `${job}.java`)));
  return hash.digest('hex').slice(0, 12);
}

/** Compiles the example jobs against the distribution; the second time they are in the cache. Needs a JDK the first time. */
export async function buildExampleJobs(
  flink: FlinkDistribution,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ExampleJobs> {
  const parent = join(cacheFolder(environment), 'examples');
  const folder = join(parent, `${flink.version}-${await fingerprint(flink.version)}`);
  if (!existsSync(folder)) {
    await mkdir(parent, { recursive: true });
    const work = await mkdtemp(join(parent, '.build-'));
    try {
      await build(flink, join(work, 'jars'), work, environment);
      await rename(join(work, 'jars'), folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const jars = Object.entries(JOBS).map(([key, job]) => [key, join(folder, `${job}.jar`)]);
  return Object.fromEntries(jars) as ExampleJobs;
}

async function build(
  { flinkHome }: FlinkDistribution,
  jars: string,
  work: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const lib = join(flinkHome, 'lib');
  const dist = (await readdir(lib)).find((jar) => jar.startsWith('flink-dist'));
  if (dist === undefined) throw new Error(`${lib} has no flink-dist*.jar`);
  await mkdir(jars);
  for (const job of Object.values(JOBS)) {
    const classes = join(work, job);
    const javac = ['--release', '11', '-nowarn', '-classpath', join(lib, dist), '-d', classes];
    await execute(javaTool('javac', environment), [...javac, join(SOURCES, `${job}.java`)]);
    const jar = ['--create', '--file', join(jars, `${job}.jar`), '--main-class', `dispatch.examples.${job}`];
    await execute(javaTool('jar', environment), [...jar, '-C', classes, '.']);
  }
}
