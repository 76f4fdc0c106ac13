import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where downloads stay between runs: outside of the clone, by the XDG base directory rule. */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = environment['XDG_CACHE_HOME'];
  return join(base !== undefined && base.startsWith('/') ? base : join(homedir(), '.cache'), 'flink-dispatch');
}
