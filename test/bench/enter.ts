import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAB } from '../cluster/support/lab.ts';

const ENTER = fileURLToPath(new URL('../cluster/lab/enter', import.meta.url));

export const START_IT = 'the local cluster is not up: start it with `npm run cluster:up`';

/** Runs this script again where `enter` sets NODE_IP: inside the cluster's network. `undefined`: there is no cluster. */
export async function enterNetwork(flinkVersion: string): Promise<number | undefined> {
  if (!existsSync('/run/netns/flink-dispatch') || !existsSync(join(LAB, 'flink', flinkVersion))) return undefined;
  const child = spawn(ENTER, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}
