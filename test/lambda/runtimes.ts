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
  'nodejs20.x': { client: '3.3.0', program: 'bin/index.mjs' },
  'nodejs24.x': { client: '4.0.2', program: 'index.mjs', node: '24.21.0' },
} as const;

export type RuntimeName = keyof typeof KINDS;
export const RUNTIMES = Object.keys(KINDS) as RuntimeName[];

/**
 * The runtime, from npm, fetched when it is not there yet; `nodejs20.x` runs on the Node.js that runs this.
 * @throws Error when it cannot be had.
 */
export async function lambdaRuntime(name: RuntimeName): Promise<LambdaRuntime> {
  const kind = KINDS[name];
  const own = 'node' in kind ? [`node-${platform()}@${kind.node}`] : [];
  const folder = join(cacheFolder(), `lambda-${name}-${kind.client}${'node' in kind ? `-${kind.node}` : ''}`);
  if (!existsSync(folder)) await install(folder, [`aws-lambda-ric@${kind.client}`, ...own]);
  const modules = join(folder, 'node_modules');
  return {
    name,
    node: 'node' in kind ? join(modules, `node-${platform()}`, 'bin', 'node') : process.execPath,
    client: join(modules, 'aws-lambda-ric', kind.program),
    clientVersion: kind.client,
  };
}

/** As the npm packages that hold a Node.js are named: `linux-x64`, `darwin-arm64`. */
function platform(): string {
  return `${process.platform}-${process.arch}`;
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
