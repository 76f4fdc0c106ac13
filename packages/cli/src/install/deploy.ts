import { existsSync } from 'node:fs';
import type { DispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { notifyArns } from '../../../../lib/install/rights/policies.ts';
import { has, valueOf, type Execute } from '../command.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { stackNamed } from '../stack.ts';
import { printJson, style, type Io } from '../terminal/io.ts';
import { openClients } from './clients.ts';
import { CONFIG_FILE, readConfigFile, type ConfigFile } from './config-file.ts';
import { deployRelease } from './deploy-release.ts';
import { ownRelease, readRelease } from './release.ts';
import { writeRelease } from './write-release.ts';
import { askFirst, failedChange } from './show-proposal.ts';
import type { StackState } from './stack-state.ts';

/** Makes an installation, or brings it to this release and this configuration. */
export const execute: Execute = async (io, parsed) => {
  if (parsed.args.length > 0) throw new UsageError('deploy takes no arguments: name the stack with --stack');
  const stack = stackOf(io, parsed);
  const config = configOf(io, parsed);
  const release = readRelease(valueOf(parsed, 'release') ?? ownRelease());
  for (const address of config === undefined ? [] : notifyArns(config.config).unnamed)
    io.err(
      `${style(io, 'yellow', 'note')}: notify '${address}' names no queue and no topic: no function may send there\n`,
    );
  const wish = {
    ...{ stack, release, config, codeBucket: valueOf(parsed, 'code-bucket') },
    parameters: pairs(parsed, 'parameter'),
    tags: pairs(parsed, 'tag'),
  };
  const to = valueOf(parsed, 'to');
  if (to !== undefined) {
    writeRelease(to, { ...wish, config });
    io.out(`${stack} at ${release.version} is in ${to}\n`);
    return 0;
  }
  const deployed = await deployRelease(wish, askFirst(io, parsed), openClients(io));
  const failed = failedChange(io, parsed, deployed);
  if (failed !== undefined) return failed;
  const { state } = deployed;
  if (deployed.config === 'overtaken')
    io.err('somebody else has stored another configuration meanwhile: see config diff, and config put\n');
  if (has(parsed, 'json'))
    printJson(io, { stack, version: release.version, changed: deployed.kind === 'done', ...state });
  else report(io, { stack, version: release.version, state, config: config?.config });
  return deployed.config === 'overtaken' ? 1 : 0;
};

/** @throws UsageError for a name that CloudFormation or the names that it begins would not take */
export function stackOf(io: Io, parsed: ParsedFlags): string {
  const stack = stackNamed(io, parsed) ?? 'flink-dispatch-prod';
  // A bucket is <stack>-ledger-<account>, of 63 lower-case letters; a rule <stack>-jar-uploads-of-tenants, of 64.
  if (/^[a-z]([a-z0-9-]{0,39}[a-z0-9])?$/.test(stack)) return stack;
  throw new UsageError(
    `--stack '${stack}' must be at most 41 lower-case letters, digits and hyphens: all else is named after it`,
  );
}

/** The file that is named, or that is there; else the stored one stays. */
function configOf(io: Io, parsed: ParsedFlags): ConfigFile | undefined {
  const file = valueOf(parsed, 'config');
  if (file !== undefined) return readConfigFile(file);
  if (!existsSync(CONFIG_FILE)) return undefined;
  io.err(`the configuration is ${CONFIG_FILE}\n`);
  return readConfigFile();
}

/** `--parameter Concurrency=100`, any number of times. */
function pairs(parsed: ParsedFlags, flag: string): Readonly<Record<string, string>> {
  const entries = (parsed.values.get(flag) ?? []).map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
    throw new UsageError(`--${flag} '${text}' must be a name and a value: NAME=VALUE`);
  });
  return Object.fromEntries(entries);
}

interface Report {
  readonly stack: string;
  readonly version: string;
  readonly state: StackState | undefined;
  readonly config: DispatchConfig | undefined;
}

function report(io: Io, { stack, version, state, config }: Report): void {
  const output = (name: string): string => state?.outputs[name] ?? '';
  io.out(`${stack} is at ${version}\n`);
  io.out(`jars go to     s3://${output('JarBucketName')}\n`);
  io.out(`messages to    ${output('MessageQueueUrl')}\n`);
  io.out(`events are on  the bus ${output('EventBusName')}\n`);
  if (Object.values(config?.targets ?? {}).some(({ access }) => access.kind === 'eks'))
    io.err(
      `the roles AdvanceRunRole and SweepRunsRole of the stack need an access entry of the cluster: docs/quick-start.md\n`,
    );
  io.err(`next: flink-dispatch doctor --stack ${stack}\n`);
}
