import type { Reason } from '../core/reasons.ts';
import type { LogEntry } from './flink-log/entry.ts';
import { FAILURES, sentenceOf, type FailureMatch, type FailurePattern } from './flink-log/failures.ts';
import { lastTrouble, rootCauseOf } from './flink-log/log-trouble.ts';
import { readLog } from './flink-log/read-log.ts';

/** What a JobManager's log says of why it could not go on. */
export interface LogFinding {
  readonly reason: Reason;
  /** One sentence with the cause. */
  readonly message: string;
  /** The lines that it rests on, at most a few. */
  readonly evidence: readonly string[];
  /** How often the log says it. */
  readonly times: number;
  /** The innermost cause of the exception, as Java or Python prints it. */
  readonly rootException?: string;
}

/** Lines of evidence, and characters of one. */
const EVIDENCE_LINES = 6;
const LINE_LENGTH = 500;
const LONGEST_MESSAGE = 1000;

/** The cause that the end of a JobManager's log tells; `undefined` when it tells of no trouble. Pure. */
export function findInLog(text: string): LogFinding | undefined {
  const log = placed(readLog(text));
  const trouble = lastTrouble(log.entries);
  for (const failure of FAILURES) {
    const matches = failure.matches(log.text).filter((match) => counts(failure, match, log));
    const [match] = matches;
    if (match !== undefined) return findingOf(failure, match, { log, trouble, times: matches.length });
  }
  const root = trouble === undefined ? undefined : rootCauseOf(trouble, log.entries);
  if (trouble === undefined || root === undefined) return undefined;
  const rootException = cut(root);
  const [firstLine = ''] = root.split('\n', 1);
  const index = Math.max(log.text.lastIndexOf(firstLine), log.starts[log.entries.indexOf(trouble)] ?? 0);
  const message = cut(`The JobManager stopped: ${root}`);
  return { reason: 'JobManagerCrashed', message, evidence: linesAt(log.text, index), times: 1, rootException };
}

/** A log's entries, and where in its text each begins. */
interface PlacedLog {
  readonly entries: readonly LogEntry[];
  readonly starts: readonly number[];
  readonly text: string;
}

function placed(entries: readonly LogEntry[]): PlacedLog {
  const starts: number[] = [];
  let at = 0;
  for (const { text } of entries) {
    starts.push(at);
    at += text.length + 1;
  }
  return { entries, starts, text: entries.map(({ text }) => text).join('\n') };
}

function entryAt({ entries, starts }: PlacedLog, index: number): LogEntry | undefined {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return entries[low];
}

function counts(failure: FailurePattern, match: FailureMatch, log: PlacedLog): boolean {
  const entry = failure.counts === undefined ? undefined : entryAt(log, match.index);
  return entry === undefined || failure.counts?.(entry, match) !== false;
}

interface Found {
  readonly log: PlacedLog;
  readonly trouble: LogEntry | undefined;
  readonly times: number;
}

/** The root cause is that of the entry itself; else of the error that the log ends with. */
function findingOf(failure: FailurePattern, match: FailureMatch, { log, trouble, times }: Found): LogFinding {
  const { reason } = failure;
  const own = entryAt(log, match.index);
  const root = [own, trouble].flatMap((entry) => (entry && rootCauseOf(entry, log.entries)) ?? [])[0];
  const said = reason === 'ApplicationFailed' ? `main() failed: ${root ?? match.message}` : sentenceOf(failure, match);
  return {
    ...{ reason, message: cut(said), evidence: linesAt(log.text, match.index), times },
    ...(root === undefined ? {} : { rootException: cut(root) }),
  };
}

function linesAt(text: string, index: number): readonly string[] {
  const start = text.lastIndexOf('\n', index) + 1;
  return text
    .slice(start, start + EVIDENCE_LINES * LINE_LENGTH)
    .split('\n')
    .slice(0, EVIDENCE_LINES)
    .map((line) => `log: ${line.trim().slice(0, LINE_LENGTH)}`);
}

function cut(text: string): string {
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)}…`;
}
