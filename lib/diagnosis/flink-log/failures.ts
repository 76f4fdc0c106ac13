import type { Reason } from '../../core/reasons.ts';
import type { LogEntry } from './entry.ts';
import { STATE_PATTERNS, stateSentence } from '../state-trouble.ts';
import { workerLosses, type WorkerLoss } from './worker-losses.ts';

/** A line that says why the JobManager, its program or its TaskManagers cannot go on. */
export interface FailureMatch {
  readonly message: string;
  /** Where in the log's text it begins. */
  readonly index: number;
}

export interface FailurePattern {
  readonly reason: Reason;
  /** The Java class that writes the line; the JVM and the API server write some. */
  readonly writtenBy: string;
  /** Of a whole log, as `readLog` writes its entries. */
  readonly matches: (log: string) => readonly FailureMatch[];
  /** Whether it means that in this entry; default: in every one. */
  readonly counts?: (entry: LogEntry, match: FailureMatch) => boolean;
}

const MAIN_THROWS = 'org.apache.flink.client.program.PackagedProgram';
const WORKER = 'org.apache.flink.runtime.resourcemanager.active.ActiveResourceManager';

/** In the order of how much they tell: the first that a log has is the cause of those below it. */
export const FAILURES: readonly FailurePattern[] = [
  {
    reason: 'ImageUnsuitable',
    writtenBy: 'the container runtime',
    matches: lines(
      /(?<![^\n])(?:standard_init_linux\.go[^\n]{0,60}|exec [^\n]{1,300}: )"?exec format error/g,
      (_, line) => {
        return `The image is built for another processor than the node has: ${line}`;
      },
    ),
  },
  {
    reason: 'MainClassMissing',
    writtenBy: MAIN_THROWS,
    matches: lines(/The program's entry point class '([^'\n]*)' was not found in the jar file/g, (name) => {
      return `The jar has no class ${name}`;
    }),
  },
  {
    reason: 'EntryClassMissing',
    writtenBy: MAIN_THROWS,
    matches: lines(/Neither a 'Main-Class', nor a 'program-class' entry was found in the jar file/g, () => {
      return 'No entry class was given and the jar names none';
    }),
  },
  {
    reason: 'MainClassMissing',
    writtenBy: MAIN_THROWS,
    matches: lines(/The class [\w.$]+ (?:must be public|has no main\(String\[\]\) method)/g, (_, line) => {
      return `The entry class cannot be run: ${line}`;
    }),
  },
  {
    reason: 'JarMissingInCluster',
    writtenBy: MAIN_THROWS,
    matches: lines(/JAR file does not exist '([^'\n]*)'/g, (path) => `The pod has no file ${path}`),
  },
  ...STATE_PATTERNS.map(({ reason, writtenBy, pattern }): FailurePattern => {
    return { reason, writtenBy, matches: lines(pattern, (_, message) => stateSentence({ reason, message })) };
  }),
  { reason: 'TaskManagerOutOfMemory', writtenBy: WORKER, matches: workers('TaskManagerOutOfMemory') },
  { reason: 'PodEvicted', writtenBy: WORKER, matches: workers('PodEvicted') },
  { reason: 'SidecarFailed', writtenBy: WORKER, matches: workers('SidecarFailed') },
  {
    reason: 'QuotaExceeded',
    writtenBy: 'org.apache.flink.kubernetes.KubernetesResourceManagerDriver',
    matches: lines(
      /\b(?:pods|configmaps|services)[.\w]{0,40} "[^"\n]*" is forbidden: exceeded quota: [^\n]*?(?=\. Received status|$)/gm,
      (_, line) => `A TaskManager does not fit into the namespace's quota: ${line}`,
    ),
  },
  {
    reason: 'ServiceAccountForbidden',
    writtenBy: 'org.apache.flink.kubernetes.KubernetesResourceManagerDriver',
    matches: forbidden,
  },
  { reason: 'JobManagerOutOfMemory', writtenBy: 'the JVM', matches: outOfMemory, counts: endsTheJobManager },
  {
    reason: 'ApplicationFailed',
    writtenBy: MAIN_THROWS,
    matches: lines(/The main method caused an error: ?([^\n]*)/g, (cause) => cause),
  },
  {
    reason: 'ApplicationFailed',
    writtenBy: 'org.apache.flink.client.python.PythonDriver',
    matches: lines(/Python process exits with code: \d+/g, (_, line) => line),
  },
  {
    reason: 'InvalidConfiguration',
    writtenBy: 'org.apache.flink.configuration.IllegalConfigurationException',
    matches: lines(/\bIllegalConfigurationException: ([^\n]*)/g, refuses),
  },
  {
    reason: 'InvalidConfiguration',
    writtenBy: 'org.apache.flink.configuration.Configuration',
    matches: lines(/Could not parse value '[^\n]*/g, (_, line) => refuses(line)),
  },
  {
    reason: 'InvalidConfiguration',
    writtenBy: 'org.apache.flink.client.deployment.application.executors.EmbeddedExecutor',
    matches: lines(lineWith('is not supported in non-HA setups'), (_, line) => refuses(line)),
  },
  {
    reason: 'InvalidConfiguration',
    writtenBy: 'the JVM',
    matches: lines(
      /(?:Unrecognized (?:VM )?option|Invalid (?:initial|maximum) heap size|Invalid thread stack size|Error occurred during initialization of VM|Unable to open debugger port)[^\n]*(?:\n[^\n]+)?/g,
      (_, said) => `The JVM refuses its options: ${said.replace('\n', ': ')}`,
    ),
  },
  {
    reason: 'InvalidConfiguration',
    writtenBy: 'the JVM',
    matches: lines(/^([^\n]+)\nError: Could not create the Java Virtual Machine/gm, (said) => {
      return `The JVM refuses its options: ${said}`;
    }),
  },
];

function refuses(said: string): string {
  return `Flink refuses the configuration: ${said}`;
}

/** `message` is given the pattern's first group and all that it matched. */
function lines(pattern: RegExp, message: (group: string, match: string) => string): FailurePattern['matches'] {
  return (log) =>
    [...log.matchAll(pattern)].map((match) => ({ message: message(match[1] ?? '', match[0]), index: match.index }));
}

/** With `^` every carriage return would begin a line, and be searched to the end of the real one. */
function lineWith(words: string): RegExp {
  return new RegExp(String.raw`(?<![^\n])[^\n]*${words}[^\n]*`, 'g');
}

function workers(reason: WorkerLoss['reason']): FailurePattern['matches'] {
  return (log) => workerLosses(log).filter((loss) => loss.reason === reason);
}

/** The API server, in the exception of the Kubernetes client. */
const FORBIDDEN =
  /(?<![\w.])[\w.]+(?: "[^"\n]*")? is forbidden: User "([^"\n]+)" cannot (\w+) resource "([^"\n]+)"[^\n]*?(?=\. Received status|\.?$)/gm;

function forbidden(log: string): readonly FailureMatch[] {
  if (!log.includes(' is forbidden: User "')) return [];
  return [...log.matchAll(FORBIDDEN)].map(({ 1: user = '', 2: verb = '', 3: resource = '', index }) => ({
    message: `Flink's service account may not ${verb} ${resource}: ${user} is forbidden to`,
    index,
  }));
}

const OUT_OF_MEMORY = lineWith(String.raw`\bOutOfMemoryError\b`);
/** As the JVM prints it, or as the exception that an entry has below it. */
const THROWN = /^(?:Terminating due to |Exception in thread "[^"]*" |Caused by: )?java\.lang\.OutOfMemoryError: /;

function outOfMemory(log: string): readonly FailureMatch[] {
  return [...log.matchAll(OUT_OF_MEMORY)].map(({ 0: message, index }) => ({ message, index }));
}

/**
 * What the JVM prints, and what Flink logs as the error that ends it. At any other level the exception is that of a task,
 * whose TaskManager had no memory.
 */
function endsTheJobManager({ level, logged }: LogEntry, { message }: FailureMatch): boolean {
  return level === 'FATAL' || ((level === 'ERROR' || !logged) && THROWN.test(message));
}

/** A sentence about a match of which the pattern alone tells none. */
export function sentenceOf({ reason }: FailurePattern, { message }: FailureMatch): string {
  return reason === 'JobManagerOutOfMemory' ? `The JobManager's JVM ran out of memory: ${message}` : message;
}
