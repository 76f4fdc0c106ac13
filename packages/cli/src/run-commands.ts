import type { AgainKind, OrderKind } from '../../../lib/trigger/order.ts';
import type { Command } from './command.ts';
import { COMMON, JOB_FILE, LEDGER, QUEUE, RUN_QUEUE, STORED_JOB } from './flags/flag-sets.ts';
import type { Flag } from './flags/flags.ts';

const TAG: Flag = { long: 'tag', takes: 'value', value: 'tag', help: 'Only those of this tag, as of a backfill.' };
const FILTERS: readonly Flag[] = [
  { long: 'state', takes: 'value', value: 'states', help: 'Only these: running, failed,unknown; live or ended.' },
  { long: 'reason', takes: 'value', value: 'reasons', help: 'Only those that ended, or wait, for these reasons.' },
  { long: 'name', takes: 'value', value: 'name', help: 'Only jobs of this name; * stands for anything.' },
  { long: 'tenant', takes: 'value', value: 'name', help: 'Only the runs of this tenant.' },
  {
    long: 'trigger',
    takes: 'value',
    value: 'kinds',
    help: 'Only those of a message, a schedule, http or a jar-upload.',
  },
  TAG,
  { long: 'since', takes: 'value', value: 'time', help: 'Only those accepted since: 2h, 7d, 2026-11-21.' },
];

const TIMEOUT: Flag = {
  long: 'timeout',
  takes: 'value',
  value: 'duration',
  help: 'Wait no longer than this: 30s, 2h.',
};

const KEY: Flag = {
  long: 'key',
  takes: 'value',
  value: 'key',
  help: 'The idempotency key: the same again is the same run.',
};

function order(kind: OrderKind, summary: string): Command {
  return {
    name: `runs ${kind}`,
    synopsis: '[OPTIONS] <run id>…',
    summary,
    flags: [...(kind === 'cancel' ? [TAG] : []), RUN_QUEUE, ...LEDGER, ...COMMON],
    examples: [`runs ${kind} 344e2e84cefa8d544286`],
    notes: 'Again, or of a run that has ended, it changes nothing and is no error.',
    load: async () => ({ execute: (await import('./commands/runs/order.ts'))[kind] }),
  };
}

function again(kind: AgainKind, summary: string): Command {
  return {
    name: `runs ${kind}`,
    synopsis: '[OPTIONS] <run id>',
    summary,
    flags: [
      KEY,
      QUEUE,
      { long: 'wait', help: 'Wait for its outcome, as runs wait does.' },
      TIMEOUT,
      ...LEDGER,
      ...COMMON,
    ],
    examples: [`runs ${kind} 344e2e84cefa8d544286 --wait`],
    notes: 'What was not kept of the run is named, and nothing is run: secrets of its spec, for one.',
    load: async () => ({ execute: (await import('./commands/runs/again.ts'))[kind] }),
  };
}

/** Dispatched runs, in their ledger: no access to a cluster is needed. */
export const RUN_COMMANDS: readonly Command[] = [
  {
    name: 'runs list',
    synopsis: '[OPTIONS]',
    summary: 'List the dispatched runs of a ledger, the newest first, of all tenants or of one.',
    flags: [
      ...FILTERS,
      { long: 'live', help: 'Only those without an outcome: --state live.' },
      { long: 'limit', takes: 'value', value: 'number', help: 'At most so many; default 50.' },
      { short: 'a', long: 'all', help: 'However many there are.' },
      { short: 'w', long: 'watch', help: 'Go on, with a line for each run that changes.' },
      { short: 'o', long: 'output', takes: 'value', value: 'format', help: 'wide, json, yaml, or name: ids alone.' },
      ...LEDGER,
      ...COMMON,
    ],
    examples: [
      'runs list --ledger my-ledger',
      'runs list --state failed --since 1d -o wide',
      'runs list --live --watch',
    ],
    load: async () => ({ execute: (await import('./commands/runs/list.ts')).list }),
  },
  {
    name: 'runs show',
    synopsis: '[OPTIONS] <run id>',
    summary: 'Show a dispatched run: its outcome, its attempts, and what was kept of them.',
    flags: [...LEDGER, ...COMMON],
    examples: ['runs show 344e2e84cefa8d544286 --ledger my-ledger'],
    load: async () => ({ execute: (await import('./commands/runs/show.ts')).show }),
  },
  {
    name: 'runs start',
    synopsis: '[OPTIONS]',
    summary: 'Ask for a run, by a message to the job queue or by an upload, and print its id.',
    flags: [
      JOB_FILE,
      STORED_JOB,
      {
        long: 'jar',
        takes: 'value',
        value: 'file',
        help: 'Upload this jar, .sql or .py, with -f as the spec beside it.',
      },
      { long: 'prefix', takes: 'value', value: 'folder/', help: 'With --jar: where in the jar bucket.' },
      KEY,
      QUEUE,
      { long: 'jars', takes: 'value', value: 'bucket', help: 'The jar bucket; default: FLINK_DISPATCH_JARS.' },
      { long: 'wait', help: 'Wait for its outcome, as runs wait does.' },
      TIMEOUT,
      ...LEDGER,
      ...COMMON,
    ],
    examples: [
      'runs start -f job.yaml --wait',
      'runs start --job nightly --key 2026-11-21',
      'runs start --jar job.jar',
      'runs start --jar totals.sql --wait',
    ],
    load: async () => ({ execute: (await import('./commands/runs/start.ts')).start }),
  },
  {
    name: 'runs wait',
    synopsis: '[OPTIONS] <run id>',
    summary: 'Wait until a run has its outcome.',
    flags: [TIMEOUT, ...LEDGER, ...COMMON],
    examples: ['runs wait 344e2e84cefa8d544286 --timeout 2h'],
    notes:
      'Exit code: 0 succeeded, 1 failed, 3 canceled, 4 rejected, 5 unknown, 6 skipped, 124 the time is over, 130 interrupted.',
    load: async () => ({ execute: (await import('./commands/runs/wait.ts')).wait }),
  },
  order('cancel', 'Cancel runs. One that waits ends without an object ever made.'),
  order('stop', 'Stop runs of streams so that their state is kept; their deployments are suspended.'),
  order('savepoint', 'Take a savepoint of runs of streams, which go on.'),
  again('rerun', 'Make a new run of what was asked for then, with today’s stored job, jar and defaults.'),
  again('replay', 'Make a new run of the same job: the bytes of its jar, its image, arguments and configuration.'),
  {
    name: 'events tail',
    synopsis: '[OPTIONS] <run id>',
    summary: 'Print the events of a run as they come, until it has ended.',
    flags: [...LEDGER, ...COMMON],
    examples: ['events tail 344e2e84cefa8d544286', 'events tail 344e --json | jq .state'],
    notes: 'They are those that subscribers get, read from the ledger. --json prints the data of each on a line.',
    load: async () => ({ execute: (await import('./commands/runs/events.ts')).tail }),
  },
  {
    name: 'runs explain',
    synopsis: '[OPTIONS] <run id>',
    summary: 'Replay the decision that ended an attempt, from its evidence: every rule, and which one decided.',
    flags: [
      { long: 'attempt', takes: 'value', value: 'number', help: 'Of this attempt; default: the last.' },
      ...LEDGER,
      ...COMMON,
    ],
    examples: ['runs explain 344e2e84cefa8d544286 --ledger my-ledger'],
    notes:
      'The rules are those of this version. Where they decide otherwise than the code that took the decision, it says so.',
    load: async () => ({ execute: (await import('./commands/runs/explain.ts')).explainRun }),
  },
];

const TENANT: Flag = { long: 'tenant', takes: 'value', value: 'name', help: 'Of this tenant.' };

/** Specs in the ledger that messages and schedules call by name. */
export const JOB_COMMANDS: readonly Command[] = [
  {
    name: 'jobs put',
    synopsis: '[OPTIONS] <name>',
    summary: 'Store a spec that messages and schedules may call by name.',
    flags: [JOB_FILE, TENANT, ...LEDGER, ...COMMON],
    examples: ['jobs put nightly -f nightly.yaml'],
    load: async () => ({ execute: (await import('./commands/jobs.ts')).put }),
  },
  {
    name: 'jobs list',
    synopsis: '[OPTIONS]',
    summary: 'List the names of stored jobs.',
    flags: [TENANT, ...LEDGER, ...COMMON],
    examples: ['jobs list', 'jobs list --tenant payments'],
    load: async () => ({ execute: (await import('./commands/jobs.ts')).list }),
  },
  {
    name: 'jobs get',
    synopsis: '[OPTIONS] <name>',
    summary: 'Print a stored spec.',
    flags: [TENANT, ...LEDGER, ...COMMON],
    examples: ['jobs get nightly'],
    load: async () => ({ execute: (await import('./commands/jobs.ts')).get }),
  },
];
