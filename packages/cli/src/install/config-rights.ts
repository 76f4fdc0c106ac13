import { isDeepStrictEqual } from 'node:util';
import { withConfiguration } from '../../../../lib/install/template.ts';
import type { DispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import type { Io } from '../terminal/io.ts';
import { changeStack } from './change-stack.ts';
import { accountOf, openClients } from './clients.ts';
import { askFirst, failedChange } from './show-proposal.ts';
import { findStack, templateOf } from './stack-state.ts';

/**
 * Gives the functions of a stack the rights that a configuration needs, and takes those that it does not: shown first.
 * Answers the exit code when that did not come about.
 */
export async function followRights(
  io: Io,
  parsed: ParsedFlags,
  stack: string,
  config: DispatchConfig,
): Promise<number | undefined> {
  const clients = openClients(io);
  const before = await findStack(stack, clients);
  if (before === undefined) throw new UsageError(`there is no stack ${stack}: flink-dispatch deploy makes it`);
  const template = await templateOf(stack, clients);
  const { JarBucketName: jarBucket, CodeBucket: bucket, CodePrefix: prefix } = before.parameters;
  if (bucket === undefined || prefix === undefined)
    throw new UsageError(`the stack ${stack} was not made by flink-dispatch deploy: it has no parameter CodeBucket`);
  const needed = withConfiguration(template, config, { stack, ...(jarBucket && { jarBucket }) });
  if (isDeepStrictEqual(needed.Resources, template.Resources)) return undefined;
  const code = { bucket, prefix, account: await accountOf(clients) };
  const change = { stack, before, template, config, code, parameters: {}, tags: {} };
  return failedChange(io, parsed, await changeStack(change, askFirst(io, parsed), clients));
}
