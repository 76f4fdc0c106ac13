import type { LogEntry } from './entry.ts';
import { readJsonLine } from './json-line.ts';
import { readHeader, type Header } from './pattern-header.ts';

/** A job writes into a log what it likes: no pattern has to read a line without an end. */
const LONGEST_LINE = 4096;

/** What the JVM prints past the logging, in the middle of whatever is logged. */
const PRINTED = /^(?:Exception in thread "|Terminating due to java\.lang\.|Error occurred during initialization of VM)/;

interface Open {
  readonly header: Header | undefined;
  readonly lines: string[];
}

/**
 * The entries of a log in whatever layout: lines of a pattern layout with what follows them, JSON objects, and what was
 * printed past both. A text that is cut at its beginning starts with the rest of an entry, which is not `logged`.
 */
export function readLog(log: string): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  let open: Open | undefined;
  const close = (): void => {
    if (open !== undefined) entries.push(closed(open));
    open = undefined;
  };
  for (const whole of log.split('\n')) {
    const json = readJsonLine(whole);
    if (json !== undefined) {
      close();
      entries.push(cutEntry(json));
      continue;
    }
    const line = cutLine(whole);
    const header = readHeader(line);
    if (header !== undefined || PRINTED.test(line)) close();
    if (header !== undefined) open = { header, lines: [line] };
    else if (open === undefined) open = { header: undefined, lines: [line] };
    else open.lines.push(line);
  }
  close();
  return entries;
}

function closed({ header, lines }: Open): LogEntry {
  const [first = '', ...more] = lines;
  return {
    level: header?.level,
    logger: header?.logger,
    message: header?.message ?? first,
    below: more.join('\n'),
    text: more.length === 0 ? first : lines.join('\n'),
    logged: header !== undefined,
  };
}

function cutLine(line: string): string {
  const cut = line.length > LONGEST_LINE ? line.slice(0, LONGEST_LINE) : line;
  return cut.endsWith('\r') ? cut.slice(0, -1) : cut;
}

function cutEntry(entry: LogEntry): LogEntry {
  const cut = (text: string): string => text.split('\n').map(cutLine).join('\n');
  return { ...entry, message: cutLine(entry.message), below: cut(entry.below), text: cut(entry.text) };
}
