/** Where one run leaves its mutants and what became of them. */
const FOLDER = 'node_modules/.cache/mutate';
export const MUTANTS_FILE = `${FOLDER}/mutants.json`;
export const JOURNAL_FILE = `${FOLDER}/journal.jsonl`;
/** Keys of those that need no other look. */
export const KNOWN_FILE = `${FOLDER}/known.json`;

/** By what a mutant is known again when the source around it has changed. */
export function keysOf(mutants: readonly SourceMutant[]): readonly string[] {
  const times = new Map<string, number>();
  return mutants.map(({ file, kind, was, becomes }) => {
    const key = [file, kind, was, becomes].join('\n');
    times.set(key, (times.get(key) ?? 0) + 1);
    return `${times.get(key)}\n${key}`;
  });
}

export interface SourceMutant {
  readonly id: string;
  /** From the project's root. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: string;
  readonly was: string;
  readonly becomes: string;
}
