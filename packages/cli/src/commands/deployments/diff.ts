import { defined } from '../../../../../lib/core/defined.ts';
import { omit } from '../../../../../lib/core/omit.ts';
import { stateMessage, type StateCheck } from '../../../../../lib/deployment/check/state-check.ts';
import { generationOf, type DeploymentRecord } from '../../../../../lib/deployment/record.ts';
import { has, type Execute } from '../../command.ts';
import { openDeployments } from '../../deployment-ledger.ts';
import { changeLines } from '../../../../../lib/view/field-diff.ts';
import { generationChanges } from '../../../../../lib/view/stream-diff.ts';
import { UsageError } from '../../flags/usage.ts';
import { harmless, printJson } from '../../terminal/io.ts';

/** `deployments diff`: the fields in which two generations differ; default: what runs, and what is wanted. */
export const diff: Execute = async (io, parsed) => {
  const [name, from, to, ...more] = parsed.args;
  if (name === undefined || more.length > 0)
    throw new UsageError('deployments diff <deployment> [generation] [generation]');
  const ledger = await openDeployments(io, parsed);
  const record = await ledger.find(name);
  const running = record.run?.generation ?? record.last?.generation ?? 1;
  const [before, after] = [numberOf(from, running), numberOf(to, record.wanted)];
  const state = stateOf(record, after);
  for (const one of [before, after]) known(record, one);
  const changes = await generationChanges(record, [before, after], ledger.store);
  if (has(parsed, 'json')) printJson(io, { before, after, changes, ...defined({ state }) });
  else if (changes.length === 0) io.err(`generations ${before} and ${after} are the same\n`);
  else io.out(harmless(changeLines(changes)));
  if (state !== undefined && !has(parsed, 'json')) io.out(harmless(`${describeState(state)}\n`));
  return 0;
};

/** What a comparison of its operators with the state has found, while that is on record. */
function stateOf({ next, settled }: DeploymentRecord, generation: number): Omit<StateCheck, 'at'> | undefined {
  if (next?.generation === generation && next.checked !== undefined) return omit(next.checked, 'at');
  const isRefused = settled?.generation === generation && settled.reason === 'StateIncompatible';
  return isRefused ? { result: 'drops', message: settled.message } : undefined;
}

function describeState(check: Omit<StateCheck, 'at'>): string {
  return `state: ${stateMessage(check) ?? 'all of it finds its operator'}`;
}

function numberOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`'${text}' is no generation: a number from 1, as deployments show lists them`);
}

function known(record: DeploymentRecord, number: number): void {
  if (generationOf(record, number) !== undefined) return;
  throw new UsageError(`generation ${number} of ${record.name} is not on record`);
}
