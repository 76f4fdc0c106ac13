import { readTextFile } from '../flags/conf-dir.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { parseDispatchConfig, type DispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';

/** Where a configuration is looked for that no argument names: where `init` writes it. */
export const CONFIG_FILE = 'dispatch.yml';

export interface ConfigFile {
  readonly file: string;
  readonly text: string;
  readonly config: DispatchConfig;
}

/** @throws UsageError for a file that cannot be read, DispatchError for one that is not good */
export function readConfigFile(file = CONFIG_FILE): ConfigFile {
  const text = readTextFile(file, 'the configuration');
  return { file, text, config: parseDispatchConfig(text, file) };
}

/** The file that the only argument names. */
export function configFileOf({ args }: ParsedFlags, usage: string): string | undefined {
  if (args.length > 1) throw new UsageError(usage);
  return args[0];
}
