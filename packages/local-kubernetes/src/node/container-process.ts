import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Reaper } from './reaper.ts';

export interface Exit {
  readonly code: number;
  readonly signal?: number;
  /** Why the command did not start at all. */
  readonly startError?: string;
}

export interface Launch {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly logFile: string;
}

/** Exit codes of shells: 128 and the signal's number. */
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

function signalGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal);
  } catch {
    // The group is gone already.
  }
}

/** A container: a command in a process group of its own, its output in a file. */
export class ContainerProcess {
  readonly exit: Promise<Exit>;
  readonly #group: number | undefined;
  #ended = false;

  constructor(launch: Launch, reaper: Reaper) {
    const [program = '', ...args] = launch.command;
    const log = openSync(launch.logFile, 'a');
    const child = spawn(program, args, {
      cwd: launch.folder,
      env: { ...launch.environment },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.#group = child.pid;
    if (child.pid !== undefined) reaper.add(child.pid);
    this.exit = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#ended = true;
        resolve({ code: 128, startError: `failed to start: exec: ${JSON.stringify(program)}: ${error.message}` });
      });
      child.once('exit', (code, signal) => {
        this.#ended = true;
        const group = child.pid;
        if (group !== undefined) {
          // What the command left behind ends with it, as it would with a container.
          signalGroup(group, 'SIGKILL');
          reaper.drop(group);
        }
        const number = signal === null ? undefined : (SIGNALS[signal] ?? 9);
        resolve(number === undefined ? { code: code ?? 0 } : { code: 128 + number, signal: number });
      });
    });
  }

  /** SIGTERM, and SIGKILL when the grace period (seconds) is over. */
  async stop(grace: number): Promise<void> {
    if (this.#group === undefined || this.#ended) return;
    if (grace > 0) signalGroup(this.#group, 'SIGTERM');
    const group = this.#group;
    const timer = setTimeout(() => {
      if (!this.#ended) signalGroup(group, 'SIGKILL');
    }, grace * 1000);
    await this.exit;
    clearTimeout(timer);
  }
}
