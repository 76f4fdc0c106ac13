import { rootMessageIn } from '../../flink/root-cause.ts';
import type { LogEntry } from './entry.ts';

/** org.apache.flink.client.python.PythonDriver: it logs what Python prints line by line, then says only this. */
const PYTHON_ENDED = 'Python process exits with code';
const PYTHON_DRIVER = 'PythonDriver';
const PRINTED = /^(?:Exception in thread "|Terminating due to )/;

/** The root cause of an entry's own stack trace; `undefined` where it has none. */
export function rootCauseOf(entry: LogEntry, entries: readonly LogEntry[]): string | undefined {
  const root = rootMessageIn(entry.logged ? `${entry.message}\n${entry.below}` : entry.text);
  return root?.includes(PYTHON_ENDED) === true ? (pythonCause(entries) ?? root) : root;
}

function pythonCause(entries: readonly LogEntry[]): string | undefined {
  const printed = entries.filter(isPrintedByPython).map(({ message }) => message);
  return rootMessageIn(printed.join('\n'));
}

/** Not what the driver says itself: its errors, and the rules around what Python printed. */
function isPrintedByPython({ logger, level, message }: LogEntry): boolean {
  return logger?.endsWith(PYTHON_DRIVER) === true && level !== 'ERROR' && !message.startsWith('-----');
}

/**
 * The entry that tells why a JobManager stopped: its last error, or what the JVM printed of a thread that nobody caught.
 * What Flink logs as a warning it has survived. Where no logging had begun, all that was printed counts.
 */
export function lastTrouble(entries: readonly LogEntry[]): LogEntry | undefined {
  const error = entries.findLast(({ level }) => level === 'ERROR' || level === 'FATAL');
  if (error !== undefined) return error;
  const isPrinted = ({ logged, text }: LogEntry): boolean => !logged && PRINTED.test(text);
  return entries.findLast(isPrinted) ?? (entries.some(({ logged }) => logged) ? undefined : entries.at(-1));
}
