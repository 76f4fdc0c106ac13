import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { ResolvedJob } from '../job.ts';

/** What `job.jarURI` names, by its ending: besides a jar, what Flink's own run-application has a driver for. */
export type ProgramKind = 'jar' | 'python' | 'sql';

/** org.apache.flink.client.python.PythonDriver, of the image's `opt/flink-python-*.jar`. */
const PYTHON_DRIVER = 'org.apache.flink.client.python.PythonDriver';
/** From Flink 2.0; needs the image's `opt/flink-sql-gateway-*.jar`. */
const SQL_DRIVER = 'org.apache.flink.table.runtime.application.SqlDriver';

const FIELD = { field: 'job.jarURI' };

/** The file that a URI names. An S3 key is no URL: `#`, `?` and `%` are characters like any other there. */
export function programPath(uri: string): string {
  if (!/^https:/i.test(uri) || !URL.canParse(uri)) return uri;
  const { pathname } = new URL(uri);
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

export function programKind(uri: string): ProgramKind {
  const path = programPath(uri).toLowerCase();
  if (path.endsWith('.py')) return 'python';
  return path.endsWith('.sql') ? 'sql' : 'jar';
}

export interface Program {
  readonly jars: readonly string[];
  readonly entryClass?: string;
  readonly args: readonly string[];
}

/** What Flink is to run of what was delivered: a driver gets the file as its first argument, as from Flink's client. */
export function programOf(
  { jar, entryClass, args }: Pick<ResolvedJob, 'jar' | 'entryClass' | 'args'>,
  deliveredUri: string,
): Program {
  const path = deliveredUri.replace(/^local:\/\//i, '');
  switch (programKind(jar.uri)) {
    case 'jar':
      return { jars: [deliveredUri], args, ...defined({ entryClass }) };
    case 'python':
      return { jars: [], entryClass: PYTHON_DRIVER, args: ['--python', path, ...args] };
    case 'sql':
      return { jars: [], entryClass: SQL_DRIVER, args: ['--scriptUri', path, ...args] };
  }
}

/** @throws DispatchError `InvalidSpec` for a program that Flink could not run this way, naming the field */
export function checkProgram({ jar, mode, entryClass, flinkVersion }: ResolvedJob): void {
  const kind = programKind(jar.uri);
  if (kind === 'jar') return;
  const what = kind === 'python' ? 'a Python program' : 'an SQL script';
  if (mode !== 'application')
    throw invalid(`${what} runs in application mode alone: sessions and standalone clusters take jars`);
  const driver = kind === 'python' ? PYTHON_DRIVER : SQL_DRIVER;
  if (entryClass !== undefined && entryClass !== driver) {
    const message = `job.entryClass must be left out beside ${what}: Flink runs it with ${driver}`;
    throw new DispatchError('InvalidSpec', message, { field: 'job.entryClass' });
  }
  if (kind === 'sql' && Number(flinkVersion.split('.')[0]) < 2) {
    throw invalid(
      `${what} needs Flink 2.0 or newer, not ${flinkVersion}: for it, give its statements to TableEnvironment.executeSql in the main() of a jar, or in a Python program`,
    );
  }
}

function invalid(what: string): DispatchError {
  return new DispatchError('InvalidSpec', `job.jarURI: ${what}`, FIELD);
}
