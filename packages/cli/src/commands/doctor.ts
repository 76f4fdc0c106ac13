import { readFile } from 'node:fs/promises';
import { describeError } from '../../../../lib/core/errors.ts';
import { parseDispatchConfig, type DispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { has, valueOf, type Execute } from '../command.ts';
import type { Check } from '../doctor/check.ts';
import { examine } from '../doctor/examine.ts';
import { printJson, style, table, type Io } from '../terminal/io.ts';
import { UsageError } from '../flags/usage.ts';

const CONFIG = 'infra/dispatch.yml';

/** Exit code 1 when a check failed: what could not be looked at fails nothing. */
export const execute: Execute = async (io, parsed) => {
  if (parsed.args.length > 0) throw new UsageError('doctor takes no arguments: name a target with --target');
  const file = valueOf(parsed, 'config') ?? CONFIG;
  const deployment = await readConfig(file);
  const wanted = valueOf(parsed, 'target');
  if (wanted !== undefined && !Object.hasOwn(deployment.targets, wanted)) {
    throw new UsageError(`${file} has no target '${wanted}': ${Object.keys(deployment.targets).join(', ')}`);
  }
  const checks = await examine(deployment, { io, probes: has(parsed, 'probe') }, wanted);
  const healthy = checks.every(({ state }) => state !== 'failed');
  if (has(parsed, 'json')) printJson(io, { healthy, checks });
  else print(io, checks);
  return healthy ? 0 : 1;
};

/** @throws UsageError for a file that cannot be read */
export async function readConfig(file: string): Promise<DispatchConfig> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read: ${describeError(error)}; give --config FILE`);
  });
  return parseDispatchConfig(text, file);
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
