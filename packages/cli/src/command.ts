import type { Flag, ParsedFlags } from './flags/flags.ts';
import type { Io } from './terminal/io.ts';

/** One command of the command line: what the help shows, and where its code is. */
export interface Command {
  /** `run`, `session start`. */
  readonly name: string;
  /** What follows the name: `[OPTIONS] <jar> [arguments…]`. */
  readonly synopsis: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** All that follows the first argument belongs to the program. */
  readonly stopAtArgument?: boolean;
  readonly examples: readonly string[];
  readonly notes?: string;
  /** Its module, read only when the command runs. */
  readonly load: () => Promise<{ readonly execute: Execute }>;
}

/** Answers the exit code: 0 done, 1 failed. @throws UsageError (2), DispatchError (1) */
export type Execute = (io: Io, parsed: ParsedFlags) => Promise<number>;

export function has(parsed: ParsedFlags, name: string): boolean {
  return parsed.values.has(name);
}

/** The last value given, as Flink's parser and people's aliases expect. */
export function valueOf(parsed: ParsedFlags, name: string): string | undefined {
  return parsed.values.get(name)?.at(-1);
}
