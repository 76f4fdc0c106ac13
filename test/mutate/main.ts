import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { keysOf, KNOWN_FILE, MUTANTS_FILE, RESULTS_FILE, type SourceMutant } from './mutants.ts';

const USAGE = `npm run mutate -- ROOM [--tests FOLDER,…] [--without TEXT] [--texts] [--again]   changes the source of ROOM, one place at a time
ROOM     a folder or file of lib, such as lib/outcome
--tests  default: the folder of test with the room's name
--without  leaves out the tests whose name has TEXT: one that draws a thousand cases takes its time for each mutant
--texts  also those that only change a text
--again  only what the last run of the room did not notice`;

interface Results {
  readonly killed: Readonly<Record<string, string>>;
  readonly covered: Readonly<Record<string, number>>;
  readonly once: readonly string[];
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function tell(what: string, mutants: readonly SourceMutant[]): void {
  for (const { file, line, was, becomes } of mutants) {
    const short = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 90);
    console.log(`${what} ${file}:${line}  ${short(was)}  →  ${short(becomes)}`);
  }
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tests: { type: 'string' },
      without: { type: 'string' },
      texts: { type: 'boolean', default: false },
      again: { type: 'boolean', default: false },
    },
  });
  const [room] = positionals;
  if (room === undefined) {
    console.log(USAGE);
    return;
  }
  const tests = values.tests ?? `test/${room.split('/')[1] ?? ''}`;
  const env = { ...process.env, ROOM: room, TESTS: tests, ...(values.texts && { TEXTS: 'yes' }) };
  const noticedFile = MUTANTS_FILE.replace('mutants', `noticed+${room.replaceAll('/', '+')}`);
  const known = values.again && existsSync(noticedFile) ? read<string[]>(noticedFile) : [];
  mkdirSync(dirname(KNOWN_FILE), { recursive: true });
  writeFileSync(KNOWN_FILE, JSON.stringify(known));
  const args = ['vitest', 'run', '--config', 'test/mutate/vitest.config.ts', '--reporter=dot'];
  if (values.without !== undefined) args.push('-t', `^(?!.*${values.without})`);
  const { status } = spawnSync('npx', args, { env, stdio: 'inherit' });
  if (status !== 0) throw new Error('the tests fail before anything is changed');
  const { killed, covered, once } = read<Results>(RESULTS_FILE);
  const all = read<SourceMutant[]>(MUTANTS_FILE).filter(({ kind }) => values.texts || kind !== 'StringLiteral');
  const survived = all.filter(({ id }) => covered[id] !== undefined && killed[id] === undefined);
  const uncovered = all.filter(({ id }) => covered[id] === undefined && killed[id] === undefined);
  const noticedKeys = keysOf(all).filter((_, index) => killed[all[index]?.id ?? ''] !== undefined);
  writeFileSync(noticedFile, JSON.stringify(noticedKeys));
  tell('SURVIVED', survived);
  // Constants of a module are made before the first test.
  tell('not run', uncovered);
  for (const name of once) console.log(`cannot be run twice: ${name}`);
  const noticed = all.length - survived.length - uncovered.length;
  console.log(
    `${room}: ${all.length} mutants, ${noticed} noticed, ${survived.length} survived, ${uncovered.length} not run`,
  );
}

main();
