import type { Command } from './command.ts';
import { COMMON, LEDGER } from './flags/flag-sets.ts';
import type { Flag } from './flags/flags.ts';

const FILTERS: readonly Flag[] = [
  { long: 'state', takes: 'value', value: 'states', help: 'Only these: running, failed,unknown; live or ended.' },
  { long: 'reason', takes: 'value', value: 'reasons', help: 'Only those that ended, or wait, for these reasons.' },
  { long: 'name', takes: 'value', value: 'name', help: 'Only jobs of this name; * stands for anything.' },
  { long: 'tenant', takes: 'value', value: 'name', help: 'Only the runs of this tenant.' },
  { long: 'trigger', takes: 'value', value: 'kinds', help: 'Only those of a message, a schedule or a jar-upload.' },
  { long: 'since', takes: 'value', value: 'time', help: 'Only those accepted since: 2h, 7d, 2026-11-21.' },
];

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
      LEDGER,
      ...COMMON,
    ],
    examples: [
      'runs list --ledger my-ledger',
      'runs list --state failed --since 1d -o wide',
      'runs list --live --watch',
    ],
    load: async () => ({ execute: (await import('./commands/runs-list.ts')).list }),
  },
  {
    name: 'runs show',
    synopsis: '[OPTIONS] <run id>',
    summary: 'Show a dispatched run: its outcome, its attempts, and what was kept of them.',
    flags: [LEDGER, ...COMMON],
    examples: ['runs show 344e2e84cefa8d544286 --ledger my-ledger'],
    load: async () => ({ execute: (await import('./commands/runs.ts')).show }),
  },
  {
    name: 'runs explain',
    synopsis: '[OPTIONS] <run id>',
    summary: 'Replay the decision that ended an attempt, from its evidence: every rule, and which one decided.',
    flags: [
      { long: 'attempt', takes: 'value', value: 'number', help: 'Of this attempt; default: the last.' },
      LEDGER,
      ...COMMON,
    ],
    examples: ['runs explain 344e2e84cefa8d544286 --ledger my-ledger'],
    notes:
      'The rules are those of this version. Where they decide otherwise than the code that took the decision, it says so.',
    load: async () => ({ execute: (await import('./commands/runs-explain.ts')).explainRun }),
  },
];
