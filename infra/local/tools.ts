import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface Tools {
  readonly python: string;
  /** Its `bin/java`; absent when no Flink runs on this machine. */
  readonly java?: string;
}

/** A program that this machine lacks, and how to get it. */
export class MissingTool extends Error {
  override readonly name = 'MissingTool';
}

/** Finds what the local stack stands on before anything is downloaded. @throws MissingTool naming all that lacks. */
export async function findTools(needs: { readonly java: boolean }): Promise<Tools> {
  const missing: string[] = [];
  const note = (error: unknown): undefined => {
    if (!(error instanceof MissingTool)) throw error;
    missing.push(error.message);
  };
  const python = await findPython().catch(note);
  const java = needs.java ? await findJava().catch(note) : undefined;
  if (python === undefined || missing.length > 0) throw new MissingTool(missing.join('\n\n'));
  return { python, ...(java === undefined ? {} : { java }) };
}

async function findPython(): Promise<string> {
  for (const command of ['python3', 'python']) {
    const probe = 'import sys, venv, ensurepip; print(sys.version_info >= (3, 10))';
    const output = await execute(command, ['-c', probe]).catch(() => undefined);
    if (output?.stdout.trim() === 'True') return command;
  }
  throw new MissingTool(
    'Python 3.10 or newer with venv is needed: the local AWS is a Python program.\n' +
      '  Debian, Ubuntu   sudo apt install python3-venv\n' +
      '  Fedora           sudo dnf install python3\n' +
      '  macOS            brew install python@3.12',
  );
}

async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const command = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  // `java -version` writes to standard error: openjdk version "17.0.15" 2025-04-15
  const output = await execute(command, ['-version']).catch(() => undefined);
  const major = Number(/version "(\d+)/.exec(output?.stderr ?? '')?.[1]);
  if (major >= 17) return command;
  const found = output === undefined ? `'${command}' cannot be run` : `'${command}' is version ${major}`;
  throw new MissingTool(
    `Java 17 or newer is needed: Flink runs on it (${found}).\n` +
      '  Debian, Ubuntu   sudo apt install openjdk-17-jre-headless\n' +
      '  Fedora           sudo dnf install java-17-openjdk-headless\n' +
      '  macOS            brew install openjdk@17\n' +
      '  or set JAVA_HOME to where one is',
  );
}
