import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfFiles } from '../../../../lib/flink/cluster.ts';
import { UsageError } from './usage.ts';

/** A ConfigMap holds at most 1 MiB: a larger file of the folder is not meant for it. */
const MAX_FILE = 1024 * 1024;

/** The files of FLINK_CONF_DIR; undefined when it is not set. @throws UsageError when there is no such folder. */
export function readConfDir(env: Readonly<Record<string, string | undefined>>): ConfFiles | undefined {
  const folder = env['FLINK_CONF_DIR'];
  if (folder === undefined || folder === '') return undefined;
  return Object.fromEntries(
    list(folder)
      .filter((name) => isTextFile(join(folder, name)))
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

/** @throws UsageError */
export function readTextFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${what}: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    throw new UsageError(`FLINK_CONF_DIR: there is no folder ${folder}; set it to a Flink conf folder or unset it`);
  }
}

function isTextFile(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size <= MAX_FILE;
}
