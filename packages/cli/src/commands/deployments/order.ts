import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { defined } from '../../../../../lib/core/defined.ts';
import type { DeploymentRecord } from '../../../../../lib/deployment/record.ts';
import { orderDeployment, type Order } from '../../../../../lib/dispatch/deployment/order.ts';
import { has, valueOf, type Execute } from '../../command.ts';
import { openDeployments } from '../../deployment-ledger.ts';
import type { ParsedFlags } from '../../flags/flags.ts';
import { UsageError } from '../../flags/usage.ts';
import { printJson } from '../../terminal/io.ts';
import { onlyArgument } from '../../flags/only-argument.ts';

/** Flink's KeyGroupRangeAssignment.UPPER_BOUND_MAX_PARALLELISM, as job.parallelism. */
const MOST_SUBTASKS = 32_768;

/** A command that wants something of a deployment: written to the ledger, and carried out by the functions. */
function ordering(kind: Order['kind']): Execute {
  return async (io, parsed) => {
    const ledger = await openDeployments(io, parsed);
    const { store, queue } = ledger;
    const record = await ledger.find(onlyArgument(parsed, `deployments ${kind} <deployment>`));
    const { id, name } = record;
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
    const deps = { deployments: store, runQueue: queue ?? { send: () => Promise.resolve() }, clock, log: silent };
    const who = { by: `${userInfo().username}, by flink-dispatch`, once: randomUUID() };
    const { generation } = await orderDeployment(id, orderOf(kind, parsed, record), who, deps);
    if (has(parsed, 'json')) printJson(io, { deployment: id, generation });
    else io.out(`${kind} ${name}: generation ${generation} of deployment ${id}\n`);
    if (queue === undefined) {
      io.err(
        'The sweeper takes it on within three minutes; at once with --runQueue <url> or FLINK_DISPATCH_RUN_QUEUE\n',
      );
    }
    return 0;
  };
}

function orderOf(kind: Order['kind'], parsed: ParsedFlags, record: DeploymentRecord): Order {
  if (kind === 'delete') return { kind, purge: has(parsed, 'purge') };
  if (kind === 'rollback') {
    const to = snapshotOf(valueOf(parsed, 'to'), record);
    return { kind, acceptDuplicates: has(parsed, 'accept-duplicates'), ...defined({ to }) };
  }
  if (kind === 'scale') return { kind, parallelism: parallelismOf(valueOf(parsed, 'parallelism')) };
  if (kind !== 'upgrade') return { kind };
  const [to, from] = [valueOf(parsed, 'to'), valueOf(parsed, 'from')];
  if (to !== undefined && !/^[1-9]\d{0,8}$/.test(to)) {
    throw new UsageError(`--to '${to}' is no generation: a number from 1, as deployments show lists them`);
  }
  checkPath('--from', from);
  return { kind, ...defined({ to: to === undefined ? undefined : Number(to), from }) };
}

function parallelismOf(text: string | undefined): number {
  const parallelism = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  if (parallelism >= 1 && parallelism <= MOST_SUBTASKS) return parallelism;
  const what = text === undefined ? 'is missing' : `'${text}' is none`;
  throw new UsageError(`--parallelism ${what}: a number of subtasks, from 1 to ${MOST_SUBTASKS}`);
}

/** By its number in the history, or by its path. */
function snapshotOf(text: string | undefined, { name, snapshots }: DeploymentRecord): string | undefined {
  if (text === undefined || !/^\d+$/.test(text)) {
    checkPath('--to', text);
    return text;
  }
  const found = snapshots.find(({ ordinal }) => ordinal === Number(text));
  if (found !== undefined) return found.snapshot.path;
  throw new UsageError(`--to ${text}: the history of ${name} has no such snapshot: deployments history lists them`);
}

function checkPath(flag: string, text: string | undefined): void {
  if (text === undefined || /^[a-z][a-z0-9+.-]*:\/\/?\S+$/i.test(text)) return;
  throw new UsageError(`${flag} '${text}' is no path of a snapshot: s3://bucket/…, as deployments history lists them`);
}

export const upgrade = ordering('upgrade');
export const scale = ordering('scale');
export const suspend = ordering('suspend');
export const resume = ordering('resume');
export const restart = ordering('restart');
export const savepoint = ordering('savepoint');
export const rollback = ordering('rollback');
export const remove = ordering('delete');
