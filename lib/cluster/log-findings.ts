import type { Reason } from '../core/reasons.ts';

/** What a JobManager's log says of why it could not go on. */
export interface LogFinding {
  readonly reason: Reason;
  /** One sentence with the cause. */
  readonly message: string;
  /** The lines that it rests on, at most a few. */
  readonly evidence: readonly string[];
  /** How often the log says it. */
  readonly times: number;
  /** The innermost cause of the exception, as Java prints it. */
  readonly rootException?: string;
}

interface Rule {
  readonly reason: Reason;
  readonly pattern: RegExp;
  readonly message: (match: RegExpExecArray) => string;
}

/** In the order of how much they tell: the first that matches is the cause of those below. */
const RULES: readonly Rule[] = [
  {
    reason: 'MainClassMissing',
    pattern: /The program's entry point class '([^']*)' was not found in the jar file/,
    message: ([, name]) => `The jar has no class ${name}`,
  },
  {
    reason: 'EntryClassMissing',
    pattern: /Neither a 'Main-Class', nor a 'program-class' entry was found in the jar file/,
    message: () => 'No entry class was given and the jar names none',
  },
  {
    reason: 'MainClassMissing',
    pattern: /The class [\w.$]+ (?:must be public|has no main\(String\[\]\) method)/,
    message: ([line]) => `The entry class cannot be run: ${line}`,
  },
  {
    reason: 'JarMissingInCluster',
    pattern: /JAR file does not exist '([^']*)'/,
    message: ([, path]) => `The pod has no file ${path}`,
  },
  {
    reason: 'TaskManagerOutOfMemory',
    pattern: /Worker (\S+) is terminated\. Diagnostics: [^\n]*reason=OOMKilled[^\n]*/,
    message: ([, pod]) =>
      `TaskManager ${pod} was killed because it used more memory than its container's limit (OOMKilled)`,
  },
  {
    reason: 'QuotaExceeded',
    pattern: /(?:pods|configmaps|services)\S* "[^"\n]*" is forbidden: exceeded quota: [^\n]*?(?=\. Received status|$)/m,
    message: ([line]) => `A TaskManager does not fit into the namespace's quota: ${line}`,
  },
  {
    reason: 'ServiceAccountForbidden',
    pattern:
      /(?<![\w.])[\w.]+(?: "[^"\n]*")? is forbidden: User "([^"\n]+)" cannot (\w+) resource "([^"\n]+)"[^\n]*?(?=\. Received status|\.?$)/m,
    message: ([, user, verb, resource]) =>
      `Flink's service account may not ${verb} ${resource}: ${user} is forbidden to`,
  },
  {
    reason: 'JobManagerOutOfMemory',
    pattern:
      /^(?:Terminating due to )?(?:Exception in thread "[^"\n]*" )?java\.lang\.OutOfMemoryError: [^\n]*|FATAL [^\n]*OutOfMemoryError[^\n]*/m,
    message: ([line]) => `The JobManager's JVM ran out of memory: ${line}`,
  },
  {
    reason: 'ApplicationFailed',
    pattern: /The main method caused an error: ?([^\n]*)/,
    message: ([, cause]) => `main() failed: ${cause}`,
  },
  {
    reason: 'InvalidConfiguration',
    pattern: /(?:org\.apache\.flink\.configuration\.)?IllegalConfigurationException: ([^\n]*)/,
    message: ([, cause]) => `Flink refuses the configuration: ${cause}`,
  },
  {
    reason: 'InvalidConfiguration',
    pattern: /Could not parse value '[^\n]*/,
    message: ([line]) => `Flink refuses the configuration: ${line}`,
  },
  {
    reason: 'InvalidConfiguration',
    pattern: /^[^\n]*is not supported in non-HA setups[^\n]*/m,
    message: ([line]) => `Flink refuses the configuration: ${line}`,
  },
  {
    reason: 'InvalidConfiguration',
    pattern:
      /(?:Unrecognized (?:VM )?option|Invalid (?:initial|maximum) heap size|Invalid thread stack size|Error occurred during initialization of VM|Unable to open debugger port)[^\n]*(?:\n[^\n]+)?/,
    message: ([lines]) => `The JVM refuses its options: ${lines.replace('\n', ': ')}`,
  },
];

/** Lines of evidence, and characters of one. */
const EVIDENCE_LINES = 6;
const LINE_LENGTH = 500;

/** A job writes into this log what it likes: no pattern has to read a line without an end. */
const LONG_LINE = /[^\n]{4096}[^\n]+/g;

/** The cause that the end of a JobManager's log tells; `undefined` when it tells of no trouble. Pure. */
export function findInLog(log: string): LogFinding | undefined {
  const text = log.replace(LONG_LINE, (line) => line.slice(0, 4096));
  const rootException = rootCause(text);
  const root = rootException === undefined ? {} : { rootException };
  for (const { reason, pattern, message } of RULES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const said = reason === 'ApplicationFailed' ? mainFailed(match, rootException) : message(match);
    return { reason, message: cut(said), evidence: linesAt(text, match.index), times: count(text, pattern), ...root };
  }
  if (rootException === undefined) return undefined;
  const index = text.lastIndexOf(rootException);
  const message = cut(`The JobManager stopped: ${rootException}`);
  return { reason: 'JobManagerCrashed', message, evidence: linesAt(text, index), times: 1, ...root };
}

function count(text: string, { source, flags }: RegExp): number {
  return [...text.matchAll(new RegExp(source, `${flags}g`))].length;
}

/** Flink's own wrapping says little; the innermost cause is what the user threw. */
function mainFailed(match: RegExpExecArray, rootException: string | undefined): string {
  return `main() failed: ${rootException ?? match[1] ?? ''}`;
}

/** Of a whole block, so that a warning with a stack trace long before the end does not count. */
const TROUBLE = /^(?:\S+ \S+ +)?(?:ERROR|FATAL)\b[^\n]*/gm;
const EXCEPTION =
  /^(?:Caused by: |Exception in thread "[^"\n]*" )?((?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error)\b[^\n]*)/gm;

/** What Flink's logging writes; before it has begun, the JVM alone speaks. */
const LOGGED = /^\d{4}-\d\d-\d\d /m;

/**
 * The innermost exception of the last ERROR of the log, of a thread that nobody caught, or of what the JVM printed when no
 * log had begun. What Flink logs as a warning, it has survived.
 */
function rootCause(text: string): string | undefined {
  const last = [...text.matchAll(TROUBLE)].at(-1)?.index ?? text.lastIndexOf('\nException in thread ');
  if (last < 0 && LOGGED.test(text)) return undefined;
  const block = last < 0 ? text : text.slice(last + 1).replace(/\n\d{4}-\d\d-\d\d [\s\S]*$/, '');
  const found = [...block.matchAll(EXCEPTION)].at(-1)?.[1];
  return found === undefined ? undefined : cut(found.trim());
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
  return text.length <= 1000 ? text : `${text.slice(0, 1000)}…`;
}
