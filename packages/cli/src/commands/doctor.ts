import { has, valueOf, type Execute } from '../command.ts';
import type { ClassArchives } from '../../../../lib/delivery/classes/archives.ts';
import { defined } from '../../../../lib/core/defined.ts';
import type { Check } from '../doctor/check.ts';
import { examine } from '../doctor/examine.ts';
import { printJson, style, table, type Io } from '../terminal/io.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { readConfigFile, type ConfigFile } from '../install/config-file.ts';
import { partOf } from '../stack.ts';

/** Exit code 1 when a check failed: what could not be looked at fails nothing. */
export const execute: Execute = async (io, parsed) => {
  if (parsed.args.length > 0) throw new UsageError('doctor takes no arguments: name a target with --target');
  const { file, config: deployment } = await configOf(io, parsed);
  const wanted = valueOf(parsed, 'target');
  if (wanted !== undefined && !Object.hasOwn(deployment.targets, wanted)) {
    throw new UsageError(`${file} has no target '${wanted}': ${Object.keys(deployment.targets).join(', ')}`);
  }
  const archives = await archivesOf(io, parsed);
  const checks = await examine(deployment, { io, probes: has(parsed, 'probe'), ...defined({ archives }) }, wanted);
  const healthy = checks.every(({ state }) => state !== 'failed');
  if (has(parsed, 'json')) printJson(io, { healthy, checks });
  else print(io, checks);
  return healthy ? 0 : 1;
};

/** Those of the ledger, where one is named. */
async function archivesOf(io: Io, parsed: ParsedFlags): Promise<Pick<ClassArchives, 'find'> | undefined> {
  if ((await partOf(io, parsed, 'ledger')) === undefined) return undefined;
  const { openLedgerBucket } = await import('../ledger-bucket.ts');
  const { s3ClassArchives } = await import('../../../../lib/delivery/classes/archives.ts');
  const { s3, bucket } = await openLedgerBucket(io, parsed);
  // Looking at one is no use of it.
  return s3ClassArchives({ s3, bucket, keep: () => Promise.resolve() });
}

/** The file of `--config`; else what the ledger has, where one is named; else the file that `init` writes. */
async function configOf(io: Io, parsed: ParsedFlags): Promise<Pick<ConfigFile, 'file' | 'config'>> {
  const file = valueOf(parsed, 'config');
  if (file !== undefined || (await partOf(io, parsed, 'ledger')) === undefined) return readConfigFile(file);
  const { readStoredConfig } = await import('../install/config-commands.ts');
  return readStoredConfig(io, parsed);
}

function print(io: Io, checks: readonly Check[]): void {
  const rows = checks.map(({ target, namespace = '', name, state, message }) => [
    target,
    namespace,
    name,
    state,
    message,
  ]);
  io.out(table([['TARGET', 'NAMESPACE', 'CHECK', 'STATE', 'SEEN'], ...rows]));
  for (const { target, namespace, name, state, fix } of checks) {
    if (state === 'ok' || fix === undefined) continue;
    const where = [target, namespace, name].filter((part) => part !== undefined).join(' ');
    io.out(`${style(io, state === 'failed' ? 'red' : 'yellow', where)}: ${fix}\n`);
  }
}
