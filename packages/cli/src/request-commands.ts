import type { Command, Execute } from './command.ts';
import { COMMON, JOB_FILE, LEDGER, QUEUE, STACK, STORED_JOB } from './flags/flag-sets.ts';
import type { Flag } from './flags/flags.ts';

const DEAD_LETTERS: Flag = {
  long: 'deadLetters',
  takes: 'value',
  value: 'url',
  help: 'The dead-letter queue; default: FLINK_DISPATCH_DEAD_LETTERS.',
};

function deadLetters(
  name: 'list' | 'show' | 'redrive',
  text: Omit<Command, 'name' | 'load' | 'flags'>,
  flags: readonly Flag[] = [],
): Command {
  return {
    ...text,
    name: `dead-letters ${name}`,
    flags: [...flags, DEAD_LETTERS, STACK, ...COMMON],
    load: async (): Promise<{ readonly execute: Execute }> => ({
      execute: (await import('./commands/dead-letters.ts'))[name],
    }),
  };
}

/** Requests that could never become a run. */
export const DEAD_LETTER_COMMANDS: readonly Command[] = [
  deadLetters('list', {
    synopsis: '[OPTIONS]',
    summary: 'List requests that could never become a run, the newest first, with the reason.',
    examples: ['dead-letters list --stack flink-dispatch-prod'],
    notes: 'What was read is shown to nobody else for half a minute.',
  }),
  deadLetters('show', {
    synopsis: '[OPTIONS] <letter>',
    summary: 'Show a dead letter: what was asked for, why it could not be, and what to do.',
    examples: ['dead-letters show 5d1c6e2a'],
  }),
  deadLetters(
    'redrive',
    {
      synopsis: '[OPTIONS] [letter]…',
      summary: 'Send dead letters to the queue that they came from, and take them away.',
      examples: ['dead-letters redrive 5d1c6e2a', 'dead-letters redrive --all'],
      notes:
        'Mend the cause first: a stored job, the allow-list. What had become a run is not run twice, where it has a key.',
    },
    [{ short: 'a', long: 'all', help: 'All that can be sent again as they are.' }],
  ),
];

const part = (long: string, what: string, variable: string): Flag => ({
  long,
  takes: 'value',
  value: what.includes('ARN') ? 'arn' : 'name',
  help: `${what}; default: ${variable}.`,
});
const GROUP = part('group', 'The schedule group, a tenant’s own', 'FLINK_DISPATCH_SCHEDULE_GROUP');

function schedule(
  name: 'list' | 'create' | 'suspend' | 'resume' | 'delete' | 'next',
  text: Omit<Command, 'name' | 'load' | 'flags' | 'synopsis'> & { readonly synopsis?: string },
  flags: readonly Flag[] = [],
): Command {
  return {
    synopsis: '[OPTIONS] <name>',
    ...text,
    name: `schedules ${name}`,
    flags: [...flags, GROUP, STACK, ...COMMON],
    load: async (): Promise<{ readonly execute: Execute }> => ({
      execute: (await import('./commands/schedules/schedules.ts'))[name === 'delete' ? 'remove' : name],
    }),
  };
}

/** Schedules of EventBridge Scheduler whose every firing is one run. */
export const SCHEDULE_COMMANDS: readonly Command[] = [
  schedule('list', {
    synopsis: '[OPTIONS]',
    summary: 'List the schedules of a group: when they fire, and what they run.',
    examples: ['schedules list --stack flink-dispatch-prod'],
  }),
  schedule(
    'create',
    {
      summary: 'Make a schedule: a stored job, or a spec, by a cron expression of AWS or a rate.',
      examples: [
        "schedules create nightly --job nightly --cron '0 5 * * ? *' --zone Europe/Berlin",
        "schedules create often -f job.yaml --rate '15 minutes' --jitter 5",
      ],
    },
    [
      STORED_JOB,
      JOB_FILE,
      { long: 'cron', takes: 'value', value: 'expression', help: 'Minutes, hours, day, month, weekday, year.' },
      { long: 'rate', takes: 'value', value: 'rate', help: "'15 minutes', '1 hour', '2 days'." },
      {
        long: 'zone',
        takes: 'value',
        value: 'name',
        help: 'The time zone of --cron and of placeholders; default: UTC.',
      },
      { long: 'jitter', takes: 'value', value: 'minutes', help: 'Fire within so many minutes, with others spread.' },
      {
        long: 'overlap',
        takes: 'value',
        value: 'policy',
        help: 'While the run before goes on: queue, forbid, replace or allow. Default: the job’s own.',
      },
      {
        long: 'starting-deadline',
        takes: 'value',
        value: 'duration',
        help: 'A firing that comes later than this is skipped, which its outcome says.',
      },
      { long: 'suspended', help: 'It does not fire before schedules resume.' },
      part('role', 'The ARN of the role of schedules', 'FLINK_DISPATCH_SCHEDULE_ROLE'),
      part('target', 'The ARN of the function, or of a tenant’s alias', 'FLINK_DISPATCH_SCHEDULE_TARGET'),
      part('failed', 'The ARN of their dead-letter queue', 'FLINK_DISPATCH_SCHEDULES_FAILED'),
    ],
  ),
  schedule('next', { summary: 'Show when a schedule fires next.', examples: ['schedules next nightly --count 10'] }, [
    { long: 'count', takes: 'value', value: 'number', help: 'So many times; default: 5.' },
  ]),
  schedule('suspend', {
    summary: 'Let a schedule fire no more. Its runs go on.',
    examples: ['schedules suspend nightly'],
  }),
  schedule('resume', { summary: 'Let a suspended schedule fire again.', examples: ['schedules resume nightly'] }),
  schedule('delete', { summary: 'Remove a schedule. Its runs go on.', examples: ['schedules delete nightly'] }),
];

const BACKFILL_FLAGS: readonly Flag[] = [
  {
    long: 'from',
    takes: 'value',
    value: 'day',
    help: 'The first day, in the schedule’s zone; or a time with its zone.',
  },
  { long: 'to', takes: 'value', value: 'day', help: 'The last day, all of it; or the time before which it ends.' },
  { long: 'at-most', takes: 'value', value: 'number', help: 'So many runs at a time; default: 1.' },
  { long: 'tag', takes: 'value', value: 'tag', help: 'The tag of its runs; default: backfill-<schedule>.' },
  { long: 'tenant', takes: 'value', value: 'name', help: 'The tenant whose schedule and queue it is.' },
  { long: 'dry-run', help: 'Print the times and the ids of their runs, and ask for nothing.' },
];

/** Runs of the firings that a schedule had, or would have had. */
export const BACKFILL_COMMAND: Command = {
  name: 'backfill',
  synopsis: '[OPTIONS] <schedule>',
  summary: 'Let each firing of a schedule in a range of days be one run.',
  flags: [...BACKFILL_FLAGS, GROUP, QUEUE, ...LEDGER, ...COMMON],
  examples: ['backfill nightly --from 2026-10-01 --to 2026-10-31 --at-most 4', 'runs cancel --tag backfill-nightly'],
  notes: 'A firing that had its run has it: the same command again goes on where it was stopped.',
  load: async (): Promise<{ readonly execute: Execute }> => ({
    execute: (await import('./commands/schedules/backfill.ts')).backfill,
  }),
};
