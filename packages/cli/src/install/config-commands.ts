import { createS3ConfigStore } from '../../../../lib/install/s3-config-store.ts';
import { CONFIG_KEY, type ConfigEditor, type StoredConfig } from '../../../../lib/install/stored-config.ts';
import { parseDispatchConfig, type DispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { parseObjectText } from '../../../../lib/core/yaml.ts';
import { has, valueOf, type Execute } from '../command.ts';
import { changeLines, fieldChanges, type FieldChange } from '../../../../lib/view/field-diff.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { openLedgerBucket, type LedgerBucket } from '../ledger-bucket.ts';
import { stackNamed } from '../stack.ts';
import { printJson, type Io } from '../terminal/io.ts';
import { configFileOf, readConfigFile } from './config-file.ts';

interface Stored extends Pick<LedgerBucket, 'asked'> {
  readonly store: ConfigEditor;
}

async function open(io: Io, parsed: ParsedFlags): Promise<Stored> {
  const { s3, bucket, asked } = await openLedgerBucket(io, parsed);
  return { store: createS3ConfigStore({ s3, bucket }), asked };
}

/** Says whether functions could use a file. Needs no AWS. */
export const check: Execute = (io, parsed) => {
  const { file, config } = readConfigFile(configFileOf(parsed, 'config check [file]'));
  const facts = { file, targets: Object.keys(config.targets), tenants: Object.keys(config.tenants) };
  if (has(parsed, 'json')) printJson(io, facts);
  else io.out(`${file} is good: ${summary(facts)}\n`);
  return Promise.resolve(0);
};

function summary({ targets, tenants }: { targets: readonly string[]; tenants: readonly string[] }): string {
  const of = tenants.length === 0 ? '' : `, the tenants ${tenants.join(', ')}`;
  return `the targets ${targets.join(', ')}${of}`;
}

/** Stores a file that is good, in place of the configuration that was there when it began. */
export const put: Execute = async (io, parsed) => {
  const { file, text, config } = readConfigFile(configFileOf(parsed, 'config put [file]'));
  const { store, asked } = await open(io, parsed);
  const uri = store.uri(CONFIG_KEY);
  const before = current(await asked(store.read(CONFIG_KEY)));
  const isSame = before?.text === text;
  if (isSame) io.err(`${uri} is the same already\n`);
  else if (before !== undefined) io.err(changeLines(changesBetween(before, text, file)));
  const stack = stackNamed(io, parsed);
  // Whoever stored it may have had no rights to change the stack.
  if (stack !== undefined) {
    const failed = await (await import('./config-rights.ts')).followRights(io, parsed, stack, config);
    if (failed !== undefined) return failed;
  } else if (!isSame) {
    io.err('rights of the functions are as they were: those that follow from it need --stack\n');
  }
  if (isSame || has(parsed, 'plan')) return 0;
  if (!(await asked(store.replace(text, before)))) {
    throw new UsageError(
      `somebody else has stored another configuration meanwhile: see config diff ${file}, and try again`,
    );
  }
  io.out(`${uri}\n`);
  io.err('functions that are warm go by it within 15 seconds\n');
  return 0;
};

/** Prints the stored one as it is, or an older version of it. */
export const get: Execute = async (io, parsed) => {
  if (parsed.args.length > 0) throw new UsageError('config get takes no arguments; an older one is --version ID');
  const { store, asked } = await open(io, parsed);
  const version = valueOf(parsed, 'version');
  const found = current(await asked(version === undefined ? store.read(CONFIG_KEY) : store.readVersion(version)));
  const which = version === undefined ? '' : ` of the version ${version}`;
  if (found === undefined)
    throw new UsageError(`there is no configuration${which} at ${store.uri(CONFIG_KEY)}: config put`);
  io.out(found.text);
  return 0;
};

/** The fields in which a file differs from what is stored. Exit code 1 when it does. */
export const diff: Execute = async (io, parsed) => {
  const { file, text } = readConfigFile(configFileOf(parsed, 'config diff [file]'));
  const { store, asked } = await open(io, parsed);
  const before = current(await asked(store.read(CONFIG_KEY)));
  const changes = changesBetween(before, text, file);
  if (has(parsed, 'json')) printJson(io, { changes });
  else if (changes.length === 0) io.err(`${file} and ${store.uri(CONFIG_KEY)} say the same\n`);
  else io.out(changeLines(changes));
  return changes.length === 0 ? 0 : 1;
};

/** @throws UsageError when there is none, DispatchError when it is not good */
export async function readStoredConfig(io: Io, parsed: ParsedFlags): Promise<{ file: string; config: DispatchConfig }> {
  const { store, asked } = await open(io, parsed);
  const file = store.uri(CONFIG_KEY);
  const found = current(await asked(store.read(CONFIG_KEY)));
  if (found === undefined) throw new UsageError(`there is no configuration at ${file}: config put`);
  return { file, config: parseDispatchConfig(found.text, file) };
}

function current(found: StoredConfig | 'unchanged' | undefined): StoredConfig | undefined {
  return found === 'unchanged' ? undefined : found;
}

/** What is stored may be anything: it was not stored with this command, then. */
function changesBetween(before: StoredConfig | undefined, text: string, file: string): readonly FieldChange[] {
  return fieldChanges(before === undefined ? {} : readable(before.text), parseObjectText(text, file));
}

function readable(text: string): unknown {
  try {
    return parseObjectText(text, 'the stored configuration');
  } catch {
    return text;
  }
}
