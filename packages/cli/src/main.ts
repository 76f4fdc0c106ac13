import { describeError, isDispatchError, type DispatchError } from '../../../lib/core/errors.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { parseFlags, type ParsedFlags } from './flags/flags.ts';
import { commandHelp, groupHelp, overviewHelp } from './terminal/help.ts';
import { shielded, style, type Io } from './terminal/io.ts';
import { nearest } from '../../../lib/core/nearest.ts';
import { UsageError } from './flags/usage.ts';

const PROGRAM = 'flink-dispatch';

/** Runs one command line. Answers the exit code: 0 done, 1 failed, 2 not understood. */
export async function main(argv: readonly string[], terminal: Io, version: string): Promise<number> {
  const io = shielded(terminal);
  const asJson = argv.includes('--json');
  try {
    return await dispatch(argv, io, version);
  } catch (error) {
    return printError(error, io, asJson);
  }
}

async function dispatch(argv: readonly string[], io: Io, version: string): Promise<number> {
  const [first] = argv;
  if (first === undefined || (first === 'help' && argv.length === 1) || first === '-h' || first === '--help') {
    (first === undefined ? io.err : io.out)(overviewHelp(PROGRAM, COMMANDS));
    return first === undefined ? 2 : 0;
  }
  if (first === '--version' || first === 'version') {
    io.out(`${version}\n`);
    return 0;
  }
  const asked = helpWanted(argv);
  if (asked !== undefined) {
    io.out(asked);
    return 0;
  }
  const { command, rest } = findCommand(argv);
  const parsed = parse(command, rest);
  if (parsed.values.has('help')) {
    io.out(commandHelp(PROGRAM, command));
    return 0;
  }
  const { execute } = await command.load();
  return execute(io, parsed);
}

/** `help run`, `help session`, `session --help`. */
function helpWanted(argv: readonly string[]): string | undefined {
  const words = argv[0] === 'help' ? argv.slice(1) : argv;
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${words[0] ?? ''} `));
  const ofGroup = words.length === 1 ? argv[0] === 'help' : /^(?:-h|--help|help)$/.test(words[1] ?? '');
  if (group.length > 0 && ofGroup) return groupHelp(PROGRAM, words[0] ?? '', group);
  return argv[0] === 'help' ? commandHelp(PROGRAM, findCommand(words).command) : undefined;
}

function findCommand(argv: readonly string[]): { command: Command; rest: readonly string[] } {
  const [first = '', second = ''] = argv;
  const two = COMMANDS.find(({ name }) => name === `${first} ${second}`);
  if (two !== undefined) return { command: two, rest: argv.slice(2) };
  const one = COMMANDS.find(({ name }) => name === first);
  if (one !== undefined) return { command: one, rest: argv.slice(1) };
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  if (group.length > 0) throw new UsageError(`${first} needs one of: ${group.join(', ')}`);
  const near = nearest(
    first,
    COMMANDS.map(({ name }) => name),
  );
  throw new UsageError(
    `unknown command '${first}'${near === undefined ? '' : `; did you mean '${near}'?`} See ${PROGRAM} --help`,
  );
}

function parse(command: Command, argv: readonly string[]): ParsedFlags {
  try {
    return parseFlags(command.flags, argv, command.stopAtArgument ?? false);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${error.message}\nSee ${PROGRAM} ${command.name} --help`);
    throw error;
  }
}

function printError(error: unknown, io: Io, asJson: boolean): number {
  const usage = error instanceof UsageError;
  if (asJson) io.err(`${JSON.stringify({ error: errorJson(error) })}\n`);
  else io.err(errorText(error, io));
  return usage ? 2 : 1;
}

function errorJson(error: unknown): unknown {
  if (error instanceof UsageError) return { reason: 'Usage', message: error.message };
  if (!isDispatchError(error)) return { reason: 'Internal', message: describeError(error) };
  return { reason: error.reason, message: error.message, field: error.field, todo: todoOf(error) };
}

/** What retries a run retries no command. */
function todoOf({ todo }: DispatchError): string {
  return todo.replace(/Retried by itself[^.;]*/, 'Try again');
}

function errorText(error: unknown, io: Io): string {
  const line = (head: string, message: string, fix: string) =>
    `${style(io, 'red', head)}: ${message}${fix === '' ? '' : `${/[.?]$/.test(message) ? '' : '.'} ${style(io, 'dim', fix)}`}\n`;
  if (error instanceof UsageError) return line('error', error.message, '');
  if (!isDispatchError(error)) {
    return line('Internal', describeError(error), '') + (error instanceof Error ? `${error.stack ?? ''}\n` : '');
  }
  const field = error.field === undefined || error.message.includes(error.field) ? '' : ` [${error.field}]`;
  return line(error.reason, error.message + field, todoOf(error));
}
