import type { Command, Execute } from './command.ts';
import { COMMON, LEDGER } from './flags/flag-sets.ts';
import type { Flag } from './flags/flags.ts';

function config(
  name: 'check' | 'put' | 'get' | 'diff',
  text: Omit<Command, 'name' | 'load' | 'flags'>,
  flags: readonly Flag[] = LEDGER,
): Command {
  return {
    ...text,
    name: `config ${name}`,
    flags: [...flags, ...COMMON],
    load: async (): Promise<{ readonly execute: Execute }> => ({
      execute: (await import('./install/config-commands.ts'))[name],
    }),
  };
}

/** The configuration that an installation's functions read. */
export const CONFIG_COMMANDS: readonly Command[] = [
  config(
    'check',
    {
      synopsis: '[OPTIONS] [file]',
      summary: 'Say whether a configuration is good; default: dispatch.yml. Needs no AWS.',
      examples: ['config check', 'config check prod.yml --json'],
    },
    [],
  ),
  config('put', {
    synopsis: '[OPTIONS] [file]',
    summary: 'Store a configuration that is good: functions go by it within 15 seconds.',
    examples: ['config put --stack flink-dispatch-prod', 'config put prod.yml --ledger my-ledger'],
    notes:
      'A file that is not good is refused. Of two at a time one is told that the other was faster. Rights of the functions\n' +
      'that follow from it (buckets, queues, secrets, registries, tenants) are the stack’s.',
  }),
  config(
    'get',
    {
      synopsis: '[OPTIONS]',
      summary: 'Print the stored configuration, or an older version of it.',
      examples: ['config get > dispatch.yml', 'config get --version 3HL4kqtJvjVBH40Nrjfkd'],
      notes: 'The ledger bucket keeps replaced versions for 7 days: keep the file where your other files are.',
    },
    [
      { long: 'version', takes: 'value', value: 'id', help: 'Of the object in S3, as the bucket lists its versions.' },
      ...LEDGER,
    ],
  ),
  config('diff', {
    synopsis: '[OPTIONS] [file]',
    summary: 'Show the fields in which a file differs from the stored configuration.',
    examples: ['config diff', 'config diff prod.yml --stack flink-dispatch-prod'],
    notes: 'Exit code 1 when they differ.',
  }),
];
