import type { Clock } from '../../../../lib/core/clock.ts';

/** What a command sees of the process: results go to `out`, progress and errors to `err`. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly errIsTty: boolean;
  readonly color: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Lines of standard input, for the attached session. */
  input(): AsyncIterable<string>;
  /** Aborted by the first interrupt; a second one ends the process. */
  readonly interrupted: AbortSignal;
}

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

export function style(io: Pick<Io, 'color'>, name: keyof typeof STYLES, text: string): string {
  const [on, off] = STYLES[name];
  return io.color ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}

/**
 * Text of others, of a log, a record or an exception, without what a terminal obeys: escape sequences, control characters
 * and marks that turn the direction of writing. Line ends and tabs stay.
 */
export function harmless(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex
      .replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g, '')
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
  );
}

/** The colours of `style`, and what `progress` begins a line anew with. */
// eslint-disable-next-line no-control-regex
const OWN = /(\u001b\[(?:1|2|22|31|32|33|39)m|^\r\u001b\[2K)/;

/** The same, whose output has no sequences of a terminal but the command line's own: whatever a command prints is harmless. */
export function shielded(io: Io): Io {
  const shown = (text: string): string =>
    text
      .split(OWN)
      .map((part, index) => (index % 2 === 1 ? part : harmless(part)))
      .join('');
  return { ...io, out: (text) => io.out(shown(text)), err: (text) => io.err(shown(text)) };
}

export function printJson(io: Io, value: unknown): void {
  // JSON.stringify escapes all below U+0020, and leaves the others
  io.out(`${harmless(JSON.stringify(value, undefined, 2))}\n`);
}

/** Columns of equal width, two spaces apart; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

export function seconds(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
