import type { Command, Execute } from './command.ts';
import { COMMON, LEDGER, RUN_QUEUE } from './flags/flag-sets.ts';
import type { Flag } from './flags/flags.ts';

type OrderName = 'upgrade' | 'scale' | 'suspend' | 'resume' | 'restart' | 'savepoint' | 'rollback' | 'remove';

function order(
  name: OrderName,
  text: Pick<Command, 'summary' | 'examples'> & { readonly called?: string; readonly flags?: readonly Flag[] },
): Command {
  const called = text.called ?? name;
  return {
    name: `deployments ${called}`,
    synopsis: '[OPTIONS] <deployment>',
    summary: text.summary,
    flags: [...(text.flags ?? []), RUN_QUEUE, ...LEDGER, ...COMMON],
    examples: text.examples,
    load: async (): Promise<{ readonly execute: Execute }> => ({
      execute: (await import('./commands/deployments/order.ts'))[name],
    }),
  };
}

function pinning(name: 'pin' | 'unpin'): Command {
  return {
    name: `deployments ${name}`,
    synopsis: '[OPTIONS] <deployment> <snapshot>',
    summary:
      name === 'pin'
        ? 'Keep a snapshot of a stream, by its number or path, whatever job.savepointHistory says.'
        : 'Let job.savepointHistory decide again how long a snapshot is kept.',
    flags: [...LEDGER, ...COMMON],
    examples: [`deployments ${name} orders 12`],
    load: async () => ({ execute: (await import('./commands/deployments/pin.ts'))[name] }),
  };
}

/** Streams that keep their state, in their ledger: no access to a cluster is needed. */
export const DEPLOYMENT_COMMANDS: readonly Command[] = [
  {
    name: 'deployments list',
    synopsis: '[OPTIONS]',
    summary: 'List the deployments of a ledger: streams that keep their state from run to run.',
    flags: [{ short: 'a', long: 'all', help: 'Those that are over too.' }, ...LEDGER, ...COMMON],
    examples: ['deployments list --ledger my-ledger', 'deployments list --all --json'],
    load: async () => ({ execute: (await import('./commands/deployments/show.ts')).list }),
  },
  {
    name: 'deployments show',
    synopsis: '[OPTIONS] <deployment>',
    summary: 'Show a deployment, by its id or name: what is wanted, what runs, and what stands in the way.',
    flags: [...LEDGER, ...COMMON],
    examples: ['deployments show orders --ledger my-ledger'],
    load: async () => ({ execute: (await import('./commands/deployments/show.ts')).show }),
  },
  {
    name: 'deployments history',
    synopsis: '[OPTIONS] <deployment> [snapshot]',
    summary: 'List the snapshots that are kept of a deployment’s state, or show the operators that are in one of them.',
    flags: [...LEDGER, ...COMMON],
    examples: ['deployments history orders --ledger my-ledger', 'deployments history orders 12'],
    load: async () => ({ execute: (await import('./commands/deployments/history.ts')).history }),
  },
  {
    name: 'deployments diff',
    synopsis: '[OPTIONS] <deployment> [generation] [generation]',
    summary: 'Show in which fields two generations differ; default: what runs, and what is wanted.',
    flags: [...LEDGER, ...COMMON],
    examples: ['deployments diff orders --ledger my-ledger', 'deployments diff orders 3 5'],
    load: async () => ({ execute: (await import('./commands/deployments/diff.ts')).diff }),
  },
  order('upgrade', {
    summary: 'Try the wanted generation again, or go to another one, from the newest state or a snapshot.',
    flags: [
      { long: 'to', takes: 'value', value: 'generation', help: 'The job of this generation; default: the wanted one.' },
      {
        long: 'from',
        takes: 'value',
        value: 'path',
        help: 'Start from this snapshot, though it may not be the newest.',
      },
    ],
    examples: ['deployments upgrade orders', 'deployments upgrade orders --to 4 --from s3://state/savepoint-1a2b3c'],
  }),
  order('scale', {
    summary: 'Give a stream another parallelism: while it runs, where its scheduler is adaptive, else by an upgrade.',
    flags: [
      {
        short: 'p',
        long: 'parallelism',
        takes: 'value',
        value: 'number',
        help: 'Subtasks, as job.parallelism has it.',
      },
    ],
    examples: ['deployments scale orders --parallelism 8'],
  }),
  order('rollback', {
    summary: 'Go back to the generation that was stable last, from the state that it left, or from another snapshot.',
    flags: [
      {
        long: 'to',
        takes: 'value',
        value: 'snapshot',
        help: 'Its number or path, as deployments history lists them; default: what the stable generation left.',
      },
      { long: 'accept-duplicates', help: 'What the stream did after that snapshot is done again.' },
    ],
    examples: ['deployments rollback orders', 'deployments rollback orders --to 12 --accept-duplicates'],
  }),
  order('suspend', {
    summary: 'End a stream so that its state is kept; nothing of it is left in the cluster.',
    examples: ['deployments suspend orders'],
  }),
  order('resume', {
    summary: 'Let a suspended stream go on from its newest state.',
    examples: ['deployments resume orders'],
  }),
  order('restart', {
    summary: 'End a stream so that its state is kept, and start the same job again from it.',
    examples: ['deployments restart orders'],
  }),
  order('savepoint', {
    summary: 'Take a savepoint of a stream that runs on.',
    examples: ['deployments savepoint orders'],
  }),
  ...(['pin', 'unpin'] as const).map(pinning),
  order('remove', {
    called: 'delete',
    summary: 'Cancel a stream without a savepoint, and forget its deployment. Its snapshots stay.',
    flags: [{ long: 'purge', help: 'Delete the snapshots that are its own too.' }],
    examples: ['deployments delete orders', 'deployments delete orders --purge'],
  }),
];
