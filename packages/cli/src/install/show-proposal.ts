import { has, type Execute } from '../command.ts';
import { changeLines } from '../../../../lib/view/field-diff.ts';
import { style, table, type Io } from '../terminal/io.ts';
import type { Approve, Changed, Proposal } from './change-stack.ts';
import type { PlannedChange } from './change-set.ts';

type Parsed = Parameters<Execute>[1];

/** Prints what would change, and asks: `--yes` is the answer, and so is `--plan`, which is no. */
export function askFirst(io: Io, parsed: Parsed): Approve {
  return async (proposal) => {
    show(io, proposal, has(parsed, 'verbose'));
    if (has(parsed, 'plan')) return false;
    return has(parsed, 'yes') || confirmed(io, 'Do it?');
  };
}

/** One line of standard input. Nobody there is a no. */
export async function confirmed(io: Io, question: string): Promise<boolean> {
  io.err(`${question} Type yes: `);
  for await (const line of io.input()) return /^y(?:es)?$/i.test(line.trim());
  io.err('\n');
  return false;
}

function show(io: Io, { plan, rights, releases }: Proposal, all: boolean): void {
  io.err(`${plan.isNew ? 'The stack will be made' : 'The stack will be changed'}: ${plan.stack}\n`);
  if (releases !== undefined) io.err(`From ${releases.before} to ${releases.after}\n`);
  io.err(table(plan.isNew && !all ? countsOf(plan.changes) : plan.changes.map(rowOf)));
  if (rights.length > 0) io.err(`\nOf these, what follows from the configuration:\n${changeLines(rights)}`);
  const goes = ({ action, replaced }: PlannedChange): boolean => action === 'Remove' || replaced !== 'no';
  const lost = plan.changes.filter((change) => goes(change) && HOLDING.test(change.type)).map(({ id }) => id);
  if (lost.length > 0) io.err(`${style(io, 'yellow', 'What these hold may be lost')}: ${lost.join(', ')}\n`);
}

/** Types of resources in which there is something that a new one has not. */
const HOLDING = /^AWS::(?:SQS::Queue|S3::Bucket|Events::EventBus|Logs::LogGroup|Scheduler::ScheduleGroup)$/;

/** All of a stack that is new is what the documents say; what it takes up is not. */
function countsOf(changes: readonly PlannedChange[]): readonly (readonly string[])[] {
  const counts = new Map<string, number>();
  for (const { action, type } of changes) {
    const key = `${action} ${type}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort().map(([key, count]) => {
    const [action = '', type = ''] = key.split(' ');
    return [action, String(count), type];
  });
}

function rowOf({ action, type, id, replaced }: PlannedChange): readonly string[] {
  const note = replaced === 'no' ? '' : replaced === 'yes' ? 'is replaced' : 'may be replaced';
  return [action, type, id, note];
}

/** Exit code of a change that did not come about, with what is to be said of it; undefined for one that did. */
export function failedChange(io: Io, parsed: Parsed, changed: Changed): number | undefined {
  if (changed.kind === 'done' || changed.kind === 'same') return undefined;
  if (changed.kind === 'refused') {
    io.err('nothing was changed\n');
    return has(parsed, 'plan') ? 0 : 1;
  }
  io.err(`${style(io, 'red', changed.status)}: CloudFormation went back to what was there before\n`);
  for (const failure of changed.failures) io.err(`${failure}\n`);
  return 1;
}
