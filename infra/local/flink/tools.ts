import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface MissingTool {
  readonly name: string;
  /** What was found instead, and how to get it. */
  readonly todo: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A program of the JDK: that of JAVA_HOME, else the one on the PATH. */
export function javaTool(name: 'java' | 'javac' | 'jar', environment: Environment = process.env): string {
  const home = environment['JAVA_HOME'];
  return home === undefined || home === '' ? name : join(home, 'bin', name);
}

async function output(command: string, args: readonly string[], environment: Environment): Promise<string | undefined> {
  const result = await execute(command, args, { env: { ...environment } }).catch(() => undefined);
  return result === undefined ? undefined : `${result.stdout}${result.stderr}`;
}

async function checkJava(environment: Environment): Promise<MissingTool[]> {
  const get =
    'install a JDK 17 (Debian, Ubuntu: apt install openjdk-17-jdk-headless; macOS: brew install openjdk@17) or set JAVA_HOME to one';
  const java = await output(javaTool('java', environment), ['-version'], environment);
  if (java === undefined) return [{ name: 'Java 17 or newer', todo: get }];
  const version = Number(/version "(\d+)/.exec(java)?.[1]);
  if (!(version >= 17)) return [{ name: 'Java 17 or newer', todo: `this one is Java ${String(version)}; ${get}` }];
  const javac = await output(javaTool('javac', environment), ['-version'], environment);
  const jreOnly = `there is a Java runtime without the compiler (javac), which builds the example jobs; ${get}`;
  return javac === undefined ? [{ name: 'a JDK', todo: jreOnly }] : [];
}

async function checkPython(environment: Environment): Promise<MissingTool[]> {
  const get =
    'install Python 3.11 or newer with venv (Debian, Ubuntu: apt install python3-venv; macOS: brew install python@3.12)';
  const probe = 'import sys, venv, ensurepip; print(sys.version_info[0] * 100 + sys.version_info[1])';
  const found = await output('python3', ['-c', probe], environment);
  if (found === undefined) return [{ name: 'Python 3.11 or newer with venv', todo: get }];
  return Number(found) >= 311 ? [] : [{ name: 'Python 3.11 or newer', todo: get }];
}

/** What the local stack needs and this machine lacks; looked for before anything is downloaded. */
export async function checkTools(environment: Environment = process.env): Promise<{ missing: readonly MissingTool[] }> {
  const found = await Promise.all([checkJava(environment), checkPython(environment)]);
  return { missing: found.flat() };
}
