/**
 * The root cause in a stack trace as `Throwable.printStackTrace`, log4j and logback print it, and in the Python tracebacks
 * that PyFlink puts into the messages of Java's exceptions. Every function reads each line a bounded number of times.
 */

const CAUSED_BY = 'Caused by: ';
/** Of layouts that print the root cause first (`%rEx`): what follows wraps what came before. */
const WRAPPED_BY = 'Wrapped by: ';
/** A cause that was printed already: java.lang.Throwable, and logback's ThrowableProxyUtil. */
const CIRCULAR = /^\s*\[?CIRCULAR REFERENCE/;
/** `\tat frame(File.java:1)`, `\t... 14 more`. */
const FRAME = /^\s+(?:at [^\s(]+(?:\(.*)?$|\.\.\. \d+ )/;
/** Java indents the suppressed exceptions of a throwable, and all that belongs to them. */
const SUPPRESSED = /^\s+Suppressed: /;
const UNCAUGHT = /^Exception in thread "[^"]{0,500}" /;
/** A throwable's `toString`: its class, alone or with a message. */
const THROWABLE =
  /^(?:(?:[\p{L}_$][\p{L}\p{N}_$]*\.)+[\p{L}_$][\p{L}\p{N}_$]*|[A-Z][\w$]*(?:Exception|Error))(?::(?:\s|$)|$)/u;

const PYTHON_TRACEBACK = /(?:^|\s)(?:Exception Group )?Traceback \(most recent call last\):$/;
const PYTHON_CAUSE = 'The above exception was the direct cause of the following exception:';
const PYTHON_CONTEXT = 'During handling of the above exception, another exception occurred:';
/** How Python 3.11 draws the tree of an exception group. */
const GROUP_MARGIN = /^\s*[+|] ?/;
/** What py4j puts before a Java exception in the message of its own one. */
const PY4J_JAVA = /^: (?=[\w$])/;

/**
 * The message of the root cause of a trace. The first line is often only a wrapping, so the deepest cause counts; suppressed
 * and circular causes do not. A text without any trace is its own message.
 */
export function rootMessage(trace: string): string {
  const lines = trace.split(/\r?\n/);
  const start = rootStart(lines);
  const rest = lines.slice(start);
  const length = rest.findIndex((line, index) => index > 0 && endsMessage(line));
  const message = length === -1 ? rest : rest.slice(0, length);
  const python = pythonRoot(message);
  if (python !== undefined) return python;
  const text = withoutCaption(message.join('\n')).trim();
  return hasWords(text) ? text : withPlace(text, length === -1 ? undefined : rest[length]);
}

/** The trace in a text that begins with other words; `undefined` where it has none. */
export function traceIn(text: string): string | undefined {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex(isThrowable);
  if (start >= 0) return lines.slice(start).join('\n').trim();
  const inline = lines[1] !== undefined && FRAME.test(lines[1]) ? throwableAtEnd(lines[0] ?? '') : undefined;
  return inline === undefined ? undefined : [inline, ...lines.slice(1)].join('\n').trim();
}

/** `undefined` where a text has no throwable of which a root could be told. */
export function rootMessageIn(text: string): string | undefined {
  const trace = traceIn(text);
  return trace === undefined ? undefined : rootMessage(trace) || undefined;
}

function isThrowable(line: string): boolean {
  return THROWABLE.test(withoutCaption(line)) || PYTHON_TRACEBACK.test(line);
}

/** Layouts such as `%m %ex` begin a trace on the line of the message. */
function throwableAtEnd(line: string): string | undefined {
  return /(?:^|\s)((?:[\w$]+\.)+[\w$]*(?:Exception|Error|Throwable)(?::\s[^]*)?)$/.exec(line)?.[1];
}

function rootStart(lines: readonly string[]): number {
  if (lines.some((line) => line.startsWith(WRAPPED_BY))) return 0;
  return Math.max(
    0,
    lines.findLastIndex((line) => line.startsWith(CAUSED_BY) && !CIRCULAR.test(line.slice(CAUSED_BY.length))),
  );
}

function endsMessage(line: string): boolean {
  return (
    line.startsWith(CAUSED_BY) ||
    line.startsWith(WRAPPED_BY) ||
    FRAME.test(line) ||
    SUPPRESSED.test(line) ||
    CIRCULAR.test(line)
  );
}

function withoutCaption(text: string): string {
  return (text.startsWith(CAUSED_BY) ? text.slice(CAUSED_BY.length) : text).replace(UNCAUGHT, '');
}

/** `java.lang.NullPointerException` alone says nothing; where it was thrown does. */
function hasWords(message: string): boolean {
  return /[\s:]/.test(message);
}

function withPlace(message: string, frame: string | undefined): string {
  return frame === undefined || !FRAME.test(frame) ? message : `${message} ${frame.trim()}`;
}

interface Traceback {
  /** The exception's line and the rest of its message. */
  readonly exception: string;
  /** How it came from the traceback above it. */
  readonly after: 'cause' | 'context' | undefined;
}

/** The exception that a chain of Python tracebacks began with, by `raise … from` or while another one was handled. */
function pythonRoot(text: readonly string[]): string | undefined {
  if (!text.some((line) => PYTHON_TRACEBACK.test(line))) return undefined;
  const chain = tracebacks(text);
  let root = chain.length - 1;
  while (root > 0 && chain[root]?.after === 'cause') root -= 1;
  const found = chain[root];
  if (found === undefined) return undefined;
  const handled = found.after === 'context' ? chain[root - 1] : undefined;
  return handled === undefined ? found.exception : `${found.exception} (while handling ${handled.exception})`;
}

/** Those that are complete: a traceback that is cut off before its exception tells none. */
function tracebacks(text: readonly string[]): readonly Traceback[] {
  const found: Traceback[] = [];
  let after: Traceback['after'];
  for (let at = 0; at < text.length; at += 1) {
    const line = (text[at] ?? '').trim();
    if (line === PYTHON_CAUSE) after = 'cause';
    if (line === PYTHON_CONTEXT) after = 'context';
    if (!PYTHON_TRACEBACK.test(text[at] ?? '')) continue;
    const own = untilNext(text, at + 1);
    const exception = pythonException(own, line.includes('Exception Group'));
    if (exception !== undefined) found.push({ exception, after: found.length === 0 ? undefined : after });
    at += own.length;
    after = undefined;
  }
  return found;
}

/** The lines of one traceback. */
function untilNext(text: readonly string[], from: number): readonly string[] {
  let end = from;
  while (end < text.length && !PYTHON_TRACEBACK.test(text[end] ?? '') && !isLink(text[end] ?? '')) end += 1;
  return text.slice(from, end);
}

function isLink(line: string): boolean {
  return line.startsWith(PYTHON_CAUSE) || line.startsWith(PYTHON_CONTEXT);
}

function pythonException(traceback: readonly string[], isGroup: boolean): string | undefined {
  const lines = isGroup ? traceback.map((line) => line.replace(GROUP_MARGIN, '')) : traceback;
  const start = lines.findIndex((line) => /^\S/.test(line));
  if (start < 0) return undefined;
  const message = lines.slice(start);
  const java = message.find((line) => PY4J_JAVA.test(line));
  if (java !== undefined) return java.replace(PY4J_JAVA, '').trim();
  const end = isGroup ? 1 : message.length;
  const text = message.slice(0, end).join('\n').trim();
  return hasWords(text) ? text : `${text}${placeOf(lines.slice(0, start))}`;
}

/** `AssertionError` alone says nothing either. */
function placeOf(frames: readonly string[]): string {
  const frame = frames.findLast((line) => /^\s+File "/.test(line));
  return frame === undefined ? '' : ` at ${frame.trim()}`;
}
