import type { Command } from '../command.ts';
import type { Flag } from '../flags/flags.ts';

const WIDTH = 100;
const COLUMN = 34;

export function commandHelp(program: string, command: Command): string {
  const flags = command.flags.filter((flag) => flag.refused === undefined);
  return [
    `${command.summary}\n`,
    `Usage: ${program} ${command.name} ${command.synopsis}\n`,
    `Options:\n${flags.map(flagHelp).join('')}`,
    ...(command.notes === undefined ? [] : [`${command.notes}\n`]),
    `Examples:\n${command.examples.map((example) => `  ${program} ${example}\n`).join('')}`,
  ].join('\n');
}

export function overviewHelp(program: string, commands: readonly Command[]): string {
  return [
    'Runs Apache Flink on Kubernetes: the objects of its own client, in milliseconds, from nothing but a kubeconfig.\n',
    `Usage: ${program} <command> [OPTIONS]\n`,
    `Commands:\n${tableOf(commands)}`,
    `'${program} <command> --help' shows a command's options and examples.\n`,
    'Environment: KUBECONFIG, FLINK_CONF_DIR (conf folder; without it the one built in for that Flink version),\n' +
      'NO_COLOR. Exit codes: 0 done, 1 failed, 2 not understood.\n',
  ].join('\n');
}

/** Of commands that share their first word. */
export function groupHelp(program: string, group: string, commands: readonly Command[]): string {
  return [
    `Usage: ${program} ${group} <command> [OPTIONS]\n`,
    `Commands:\n${tableOf(commands)}`,
    `'${program} ${group} <command> --help' shows a command's options and examples.\n`,
  ].join('\n');
}

function tableOf(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`).join('');
}

function flagHelp(flag: Flag): string {
  const left = `  ${spelling(flag)}`;
  const lines = wrap(flag.help, WIDTH - COLUMN);
  const first = left.length < COLUMN - 1 ? left.padEnd(COLUMN) + (lines.shift() ?? '') : left;
  return [first, ...lines.map((line) => ' '.repeat(COLUMN) + line)].map((line) => `${line}\n`).join('');
}

function spelling({ short, long, takes, value }: Flag): string {
  if (takes === 'property') return `-${short ?? ''} <key=value>`;
  const names = [short && `-${short}`, long && `--${long}`].filter(Boolean).join(', ');
  if (takes === undefined) return names;
  return takes === 'optional' ? `${names} [${value ?? 'value'}]` : `${names} <${value ?? 'value'}>`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
