export type Level = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

/** One event of a log, whatever its layout. */
export interface LogEntry {
  /** `undefined` where the layout has none, and for what a process prints past its logging. */
  readonly level: Level | undefined;
  /** As the layout gives it: `org.apache.flink.…`, `o.a.f.r.e.ClusterEntrypoint` or the class alone. */
  readonly logger: string | undefined;
  /** What was logged; its first line. */
  readonly message: string;
  /** What came below it: more lines of the message, and the stack trace. Empty when nothing did. */
  readonly below: string;
  /** For people, and for patterns: lines as a pattern layout writes them, also where the log has JSON. */
  readonly text: string;
  /** Whether the lines have a header: else they are what the JVM or a script printed, or the rest of a cut entry. */
  readonly logged: boolean;
}

const LEVELS: Readonly<Record<string, Level>> = {
  ...{ TRACE: 'TRACE', FINEST: 'TRACE', FINER: 'TRACE', DEBUG: 'DEBUG', FINE: 'DEBUG', CONFIG: 'DEBUG' },
  ...{ INFO: 'INFO', NOTICE: 'INFO', WARN: 'WARN', WARNING: 'WARN', ERROR: 'ERROR', ERR: 'ERROR', SEVERE: 'ERROR' },
  ...{ FATAL: 'FATAL', CRITICAL: 'FATAL', ALERT: 'FATAL', EMERGENCY: 'FATAL' },
  ...{ T: 'TRACE', D: 'DEBUG', I: 'INFO', W: 'WARN', E: 'ERROR', F: 'FATAL' },
};

/** Of syslog (GELF: 0 to 7), of Bunyan (10 to 60) and of Logback (5000 to 40000). */
const NUMBERS: Readonly<Record<number, Level>> = {
  ...{ 0: 'FATAL', 1: 'FATAL', 2: 'FATAL', 3: 'ERROR', 4: 'WARN', 5: 'INFO', 6: 'INFO', 7: 'DEBUG' },
  ...{ 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' },
  ...{ 5000: 'TRACE', 10000: 'DEBUG', 20000: 'INFO', 30000: 'WARN', 40000: 'ERROR' },
};

/** The level that a word of a log names; one letter counts too, as log4j's `%p{length=1}` writes it. */
export function levelOf(word: unknown): Level | undefined {
  if (typeof word === 'number') return NUMBERS[word];
  if (typeof word !== 'string' || word.length > 10) return undefined;
  const name = word.trim().toUpperCase();
  return Object.hasOwn(LEVELS, name) ? LEVELS[name] : undefined;
}
