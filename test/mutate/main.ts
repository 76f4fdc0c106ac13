import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { journal } from './journal.ts';
import { JOURNAL_FILE, keysOf, KNOWN_FILE, MUTANTS_FILE, type SourceMutant } from './mutants.ts';
import { runTests } from './workers.ts';

const USAGE = `npm run mutate -- ROOM [--tests FOLDER,…] [--without TEXT] [--texts] [--again]   changes the source of ROOM, one place at a time
ROOM     a folder or file of lib, such as lib/outcome
--tests  default: the folder of test with the room's name
--without  leaves out the tests whose name has TEXT: one that draws a thousand cases takes its time for each mutant
--texts  also those that only change a text
--again  only what the last run of the room did not notice`;

function read<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function tell(what: string, mutants: readonly SourceMutant[]): void {
  for (const { file, line, was, becomes } of mutants) {
    const short = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 90);
    console.log(`${what} ${file}:${line}  ${short(was)}  →  ${short(becomes)}`);
  }
}

async function main(): Promise<void> {
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
  rmSync(JOURNAL_FILE, { force: true });
  const args = ['run', '--config', 'test/mutate/vitest.config.ts', '--reporter=dot'];
  if (values.without !== undefined) args.push('-t', `^(?!.*${values.without})`);
  await runTests(args, env);
  const entries = journal();
  const covered = new Set(entries.flatMap((entry) => (entry.kind === 'covers' ? entry.mutants : [])));
  const found = new Set(entries.flatMap((entry) => (entry.kind === 'noticed' ? [entry.mutant] : [])));
  const before = new Set(known);
  const every = read<SourceMutant[]>(MUTANTS_FILE);
  const keys = keysOf(every);
  const looked = every.map((mutant, index) => {
    const key = keys[index] ?? '';
    return { mutant, key, noticed: found.has(mutant.id) || before.has(key) };
  });
  writeFileSync(noticedFile, JSON.stringify(looked.flatMap(({ key, noticed }) => (noticed ? [key] : []))));
  const all = looked.filter(({ mutant: { kind } }) => values.texts || kind !== 'StringLiteral');
  const left = all.flatMap(({ mutant, noticed }) => (noticed ? [] : [mutant]));
  const survived = left.filter(({ id }) => covered.has(id));
  const uncovered = left.filter(({ id }) => !covered.has(id));
  tell('SURVIVED', survived);
  // Constants of a module are made before the first test.
  tell('not run', uncovered);
  for (const entry of entries) if (entry.kind === 'once') console.log(`cannot be run twice: ${entry.name}`);
  const counts = `${all.length - left.length} noticed, ${survived.length} survived, ${uncovered.length} not run`;
  console.log(`${room}: ${all.length} mutants, ${counts}`);
}

await main();
