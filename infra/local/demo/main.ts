import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../../../lib/core/defined.ts';
import { describeError } from '../../../lib/core/errors.ts';
import { MissingTools, startStack, type Stack } from '../stack.ts';
import { cacheFolder } from '../cache.ts';
import { COMMANDS, type Command } from './commands.ts';
import { prepareNextStart } from './next-start.ts';
import { parseDemoOptions, USAGE, type DemoOptions } from './options.ts';
import { showRemains, showRun } from './show.ts';
import { stay } from './stay.ts';
import { showStream } from './stream.ts';
import { Terminal } from './terminal.ts';

const terminal = new Terminal(process.stdout, process.env);
let stack: Stack | undefined;
/** The exit code of Ctrl-C: it is how a demo that stays up is meant to end. */
let interrupted = 130;
let leaving = false;

async function main(): Promise<number> {
  const [first = '', ...rest] = process.argv.slice(2);
  const command = COMMANDS[first];
  if (command !== undefined) return runCommand(command, rest);
  let options: DemoOptions;
  try {
    options = parseDemoOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { cluster, host } = options;
  stack = await startStack({
    progress: terminal,
    ...defined({ kubernetes: cluster, host }),
  });
  const well = (await showRun(stack, terminal)) && (await showUpgrade(stack));
  if (!well) await keepLog(stack);
  if (options.stay) {
    interrupted = well ? 0 : 1;
    await stay(stack, terminal);
  } else if (stack.cluster.podsAreProcesses) {
    await prepareNextStart(terminal);
  }
  return well ? 0 : 1;
}

/** State on this machine's disk is for pods that are processes of this machine. */
async function showUpgrade(shown: Stack): Promise<boolean> {
  if (!shown.cluster.podsAreProcesses) return true;
  return (await showStream(shown, terminal)) && (await showRemains(shown, terminal, 'stream'));
}

async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  try {
    process.stdout.write(`${await command(args)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return 1;
  }
}

/** Stops everything in order; a second signal does not wait for it. */
async function leave(code: number): Promise<void> {
  leaving = true;
  terminal.close();
  await stack?.stop();
  process.exit(code);
}

for (const [signal, code] of [
  ['SIGINT', () => interrupted],
  ['SIGTERM', () => 143],
  ['SIGHUP', () => 129],
] as const) {
  process.once(signal, () => {
    process.once(signal, () => process.exit(code()));
    void leave(code());
  });
}

/** What the functions said would go with the stack. */
async function keepLog({ logFile }: Stack): Promise<void> {
  const kept = join(cacheFolder(), 'demo-failed.log');
  await copyFile(logFile, kept);
  process.stderr.write(`\nIt did not go as it should. What the functions logged is in ${kept}\n`);
}

main().then(leave, async (error: unknown) => {
  // What is being stopped fails.
  if (leaving) return;
  terminal.close();
  const expected = error instanceof MissingTools || !(error instanceof Error);
  process.stderr.write(`\n${expected ? describeError(error) : (error.stack ?? error.message)}\n`);
  if (stack !== undefined) await keepLog(stack);
  await leave(1);
});
