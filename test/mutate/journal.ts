import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { JOURNAL_FILE } from './mutants.ts';

/** What the tests of one room have shown so far; it outlives a worker that a mutant made hang. */
export type Entry =
  /** A test begins with a mutant, and has so many milliseconds. */
  | { readonly kind: 'try'; readonly test: string; readonly name: string; readonly mutant: string; readonly ms: number }
  | { readonly kind: 'noticed'; readonly mutant: string; readonly by: string }
  /** The mutants whose lines a test runs. */
  | { readonly kind: 'covers'; readonly test: string; readonly mutants: readonly string[] }
  /** A test that fails when it is run once more without a mutant: it proves nothing. */
  | { readonly kind: 'once'; readonly name: string }
  | { readonly kind: 'done'; readonly test: string };

export function note(entry: Entry): void {
  appendFileSync(JOURNAL_FILE, `${JSON.stringify(entry)}\n`);
}

export function journal(): readonly Entry[] {
  if (!existsSync(JOURNAL_FILE)) return [];
  const lines = readFileSync(JOURNAL_FILE, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Entry);
}
