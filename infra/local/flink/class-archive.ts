import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache.ts';
import type { FlinkDistribution } from './distribution.ts';
import { ensureClassList } from './record-classes.ts';
import { javaTool } from './tools.ts';

const execute = promisify(execFile);

/**
 * A JAVA_HOME whose `java` finds the classes of Flink ready to be mapped (class-data sharing), for what runs on the local
 * Kubernetes: a JVM starts with about half of the processor time. An archive holds for one JVM and one class path, so both
 * are in its name. Undefined where none was made yet.
 */
export async function archivedJava(flink: FlinkDistribution): Promise<string | undefined> {
  const home = await homeFor(flink);
  return existsSync(home) ? home : undefined;
}

/** As `archivedJava`; makes it first, in half a minute of two processors, where there is none. */
export async function ensureArchivedJava(flink: FlinkDistribution): Promise<string> {
  const home = await homeFor(flink);
  if (!existsSync(home)) await makeHome(flink, home);
  return home;
}

async function homeFor({ version, flinkHome }: FlinkDistribution): Promise<string> {
  const { stdout, stderr } = await execute(javaTool('java'), ['-version']);
  const hash = createHash('sha256').update(stdout + stderr);
  for (const jar of (await readdir(join(flinkHome, 'lib'))).sort()) {
    const { size, mtimeMs } = await stat(join(flinkHome, 'lib', jar));
    hash.update(`${jar} ${String(size)} ${String(mtimeMs)}\n`);
  }
  return join(cacheFolder(), 'java', `${version}-${hash.digest('hex').slice(0, 12)}`);
}

/** Made beside its place and renamed: whoever finds it finds it whole. */
async function makeHome(flink: FlinkDistribution, home: string): Promise<void> {
  const parent = dirname(home);
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, '.making-'));
  try {
    const bin = join(work, 'bin');
    await mkdir(bin);
    await copyFile(join(import.meta.dirname, 'java'), join(bin, 'java'));
    await symlink(await realJava(), join(bin, 'java.jvm'));
    const environment = { ...process.env, FLINK_HOME: flink.flinkHome, FLINK_CONF_DIR: join(flink.flinkHome, 'conf') };
    const archive = join(import.meta.dirname, 'archive-classes');
    await execute('bash', [archive, join(bin, 'java.jvm'), await ensureClassList(flink), work], { env: environment });
    await rename(work, home).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The program itself: `java` of the PATH can be a script. @throws Error when it does not say where it is */
async function realJava(): Promise<string> {
  const { stdout, stderr } = await execute(javaTool('java'), ['-XshowSettings:properties', '-version']);
  const home = /^\s*java\.home = (.+)$/m.exec(stdout + stderr)?.[1];
  if (home === undefined) throw new Error('java -XshowSettings:properties names no java.home');
  return join(home, 'bin', 'java');
}
