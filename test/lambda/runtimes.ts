import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../infra/local/cache.ts';
import { run } from '../../infra/local/process.ts';

/** AWS' own runtime client, and the Node.js that it runs on. */
export interface LambdaRuntime {
  /** As AWS names it: `nodejs24.x`. */
  readonly name: string;
  readonly node: string;
  /** Its program. */
  readonly client: string;
  readonly clientVersion: string;
}

const KINDS = {
  'nodejs24.x': { client: '4.0.2', program: 'index.mjs' },
} as const;

export type RuntimeName = keyof typeof KINDS;
export const RUNTIMES = Object.keys(KINDS) as RuntimeName[];

/**
 * The runtime client, from npm, fetched when it is not there yet. It runs on the Node.js that runs this, which is the
 * project's own (package.json, optionalDependencies).
 * @throws Error when it cannot be had, or when this is another Node.js.
 */
export async function lambdaRuntime(name: RuntimeName): Promise<LambdaRuntime> {
  const { client, program } = KINDS[name];
  const [, major = ''] = /^nodejs(\d+)\.x$/.exec(name) ?? [];
  if (!process.version.startsWith(`v${major}.`)) {
    throw new Error(`${name} needs Node.js ${major}, and this is ${process.version}: start it by an npm script`);
  }
  const folder = join(cacheFolder(), `lambda-${name}-${client}`);
  if (!existsSync(folder)) await install(folder, [`aws-lambda-ric@${client}`]);
  return {
    name,
    node: process.execPath,
    client: join(folder, 'node_modules', 'aws-lambda-ric', program),
    clientVersion: client,
  };
}

/** A folder outside of the clone, complete or absent. No script of a package runs. */
async function install(folder: string, packages: readonly string[]): Promise<void> {
  const part = `${folder}.${process.pid}.part`;
  await mkdir(part, { recursive: true });
  try {
    await writeFile(join(part, 'package.json'), '{"private":true}');
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--force'];
    await run('npm', ['install', ...options, ...packages], {
      folder: part,
      logFile: `${part}.log`,
      environment: process.env,
    });
    await rename(part, folder).catch((error: unknown) => {
      // Another process was faster.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
    await rm(`${part}.log`, { force: true });
  }
}
