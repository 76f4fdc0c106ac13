import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache.ts';

const execute = promisify(execFile);

const DEFAULT_FLINK_VERSION = '2.3.0';

/** A Flink distribution on this machine: bin, conf, lib, opt, plugins. */
export interface FlinkDistribution {
  readonly version: string;
  readonly flinkHome: string;
}

export interface DistributionOptions {
  /** Default 2.3.0, or that of FLINK_HOME. */
  readonly version?: string;
  /** Default `python3`; needs venv. */
  readonly python?: string;
  /** Gets a line now and then while something is downloaded. */
  readonly log: (line: string) => void;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * FLINK_HOME when it is set and fits, else the cached distribution, else one made of the packages that the Flink
 * project publishes for Python: they hold the whole of it.
 */
export async function ensureFlink(options: DistributionOptions): Promise<FlinkDistribution> {
  const environment = options.environment ?? process.env;
  const given = await distributionAt(environment['FLINK_HOME']);
  if (given !== undefined && (options.version === undefined || options.version === given.version)) return given;
  const version = options.version ?? DEFAULT_FLINK_VERSION;
  const flinkHome = join(cacheFolder(environment), 'flink', version);
  const cached = await distributionAt(flinkHome);
  if (cached === undefined) await download(version, flinkHome, options);
  return { version, flinkHome };
}

/** @throws Error when FLINK_HOME is set and holds no distribution */
async function distributionAt(flinkHome: string | undefined): Promise<FlinkDistribution | undefined> {
  if (flinkHome === undefined || flinkHome === '') return undefined;
  const jars = await readdir(join(flinkHome, 'lib')).catch(() => []);
  const version = jars
    .map((jar) => /^flink-dist(?:_[\d.]+)?-(.+)\.jar$/.exec(jar)?.[1])
    .find((found) => found !== undefined);
  return version === undefined ? undefined : { version, flinkHome };
}

async function download(version: string, flinkHome: string, options: DistributionOptions): Promise<void> {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`Flink ${version}: give the full version, such as 2.3.0`);
  const parent = join(flinkHome, '..');
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, `.${version}-`));
  try {
    const pip = await makePip(work, options.python ?? 'python3');
    options.log(`Flink ${version}: downloading the distribution to ${flinkHome}`);
    await fetchPackages(pip, work, version, options.log);
    options.log(`Flink ${version}: unpacking`);
    await rename(await layOut(work, version), flinkHome).catch(async (error: unknown) => {
      // Another process was faster; one of two equal folders is enough.
      if ((await distributionAt(flinkHome)) === undefined) throw error;
    });
    options.log(`Flink ${version}: ready`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A pip that no package manager of the machine minds, in a virtual environment that goes with the work folder. */
async function makePip(work: string, python: string): Promise<string> {
  const folder = join(work, 'venv');
  await execute(python, ['-m', 'venv', folder]);
  return join(folder, 'bin', 'python');
}

async function fetchPackages(pip: string, work: string, version: string, log: (line: string) => void): Promise<void> {
  const download = ['-m', 'pip', 'download', '--no-deps', '--disable-pip-version-check', '--dest', work];
  await runPip(pip, [...download, '--no-binary', ':all:', `apache-flink-libraries==${version}`], work, log);
  // The scripts in the wheel are the same for all platforms; this one is always published.
  const wheel = [
    '--only-binary',
    ':all:',
    '--python-version',
    '3.11',
    '--implementation',
    'cp',
    '--platform',
    'manylinux1_x86_64',
  ];
  await runPip(pip, [...download, ...wheel, `apache-flink==${version}`], work, log);
}

/** Runs pip; says every few seconds how much has arrived. */
async function runPip(pip: string, args: readonly string[], work: string, log: (line: string) => void): Promise<void> {
  const temporary = join(work, 'tmp');
  await mkdir(temporary, { recursive: true });
  const environment = { ...process.env, TMPDIR: temporary, PIP_PROGRESS_BAR: 'off' };
  const child = spawn(pip, [...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let total = '';
  const read = (chunk: Buffer): void => {
    output += chunk.toString();
    total = [...output.matchAll(/(?:Downloading|Using cached) \S+ \(([^)]+)\)/g)].at(-1)?.[1] ?? total;
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const timer = setInterval(() => {
    void sizeOf(temporary).then((bytes) => {
      log(`  ${(bytes / 1e6).toFixed(0)} MB${total === '' ? '' : ` of ${total}`}`);
    });
  }, 2000);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => {
    clearInterval(timer);
  });
  if (code !== 0) throw new Error(`pip could not fetch Flink (exit code ${String(code)}):\n${output.slice(-2000)}`);
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const packages = entries.filter((entry) => /\.(tar\.gz|whl)$/.test(entry));
  const sizes = await Promise.all(packages.map((entry) => stat(join(folder, entry)).catch(() => undefined)));
  return sizes.reduce((sum, info) => sum + (info?.isFile() === true ? info.size : 0), 0);
}

/** Puts the packages' parts where a distribution has them. */
async function layOut(work: string, version: string): Promise<string> {
  const files = await readdir(work);
  const archive = files.find((file) => file.endsWith('.tar.gz'));
  const wheel = files.find((file) => file.endsWith('.whl'));
  if (archive === undefined || wheel === undefined)
    throw new Error(`the packages of Flink ${version} are incomplete: ${files.join(', ')}`);
  const unpacked = join(work, 'unpacked');
  const home = join(work, 'home');
  for (const folder of [unpacked, ...['log', 'usrlib', 'examples'].map((name) => join(home, name))]) {
    await mkdir(folder, { recursive: true });
  }
  await execute('tar', ['xzf', join(work, archive), '-C', unpacked]);
  await execute(join(work, 'venv', 'bin', 'python'), ['-m', 'zipfile', '-e', join(work, wheel), unpacked]);
  const libraries = join(unpacked, archive.slice(0, -'.tar.gz'.length), 'deps');
  for (const part of ['lib', 'opt', 'plugins']) await rename(join(libraries, part), join(home, part));
  for (const part of ['bin', 'conf']) await rename(join(unpacked, 'pyflink', part), join(home, part));
  const utilities = join(libraries, 'bin', 'bash-java-utils.jar');
  if (existsSync(utilities)) await cp(utilities, join(home, 'bin', 'bash-java-utils.jar'));
  for (const script of await readdir(join(home, 'bin'))) {
    if (script === 'flink' || script.endsWith('.sh')) await chmod(join(home, 'bin', script), 0o755);
  }
  return home;
}
