import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface ProcessOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** Gets standard output and standard error. */
  readonly logFile: string;
}

/** A process and all that it starts: one process group, ended as one. */
export interface ProcessGroup {
  readonly pid: number;
  /** Resolves with how it ended, `exit code 1` or `SIGKILL`. */
  readonly exited: Promise<string>;
  /** SIGTERM, and SIGKILL for what is left of the group after the grace. */
  stop(graceMs?: number): Promise<void>;
}

/** Groups of this process that still run: a process that ends without stopping them takes them along. */
const live = new Set<number>();
process.on('exit', () => {
  for (const pid of live) signal(pid, 'SIGKILL');
});

/** Its standard input is a pipe that closes with this process, so that a server can follow a parent that was killed. */
export async function startGroup(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessGroup> {
  const log = openSync(options.logFile, 'a');
  const child = spawn(command, args, {
    cwd: options.folder,
    env: options.environment,
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const exited = endOf(child);
  await Promise.race([once(child, 'spawn'), once(child, 'error').then(([cause]) => Promise.reject(cause as Error))]);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command} did not start`);
  live.add(pid);
  const gone = exited.then((how) => {
    signal(pid, 'SIGKILL');
    live.delete(pid);
    return how;
  });
  return {
    pid,
    exited: gone,
    async stop(graceMs = 3_000) {
      signal(pid, 'SIGTERM');
      const timer = setTimeout(() => signal(pid, 'SIGKILL'), graceMs);
      await gone;
      clearTimeout(timer);
    },
  };
}

/** Runs a command to its end. @throws Error with the end of its output when it fails. */
export async function run(command: string, args: readonly string[], options: ProcessOptions): Promise<void> {
  const group = await startGroup(command, args, options);
  const how = await group.exited;
  if (how === 'exit code 0') return;
  const output = await readFile(options.logFile, 'utf8');
  throw new Error(
    `${[command, ...args].join(' ')} ended with ${how}:\n${output.trim().split('\n').slice(-20).join('\n')}`,
  );
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, killedBy) => resolve(killedBy ?? `exit code ${String(code)}`));
    child.once('error', (error) => resolve(error.message));
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // The group is gone.
  }
}
