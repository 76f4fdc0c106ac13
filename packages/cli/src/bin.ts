import { createInterface } from 'node:readline';
import type { Io } from './terminal/io.ts';
import { main } from './main.ts';

declare const FLINK_DISPATCH_VERSION: string | undefined;

const interrupted = new AbortController();

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  errIsTty: process.stderr.isTTY,
  color: wantsColor(),
  env: process.env,
  clock: { now: () => Date.now(), sleep },
  input: lines,
  interrupted: interrupted.signal,
};

/** A pipe that its writer keeps open would keep this process, too. */
async function* lines(): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: process.stdin, terminal: false, signal: interrupted.signal });
  } finally {
    process.stdin.destroy();
  }
}

/** https://no-color.org: any value that is not empty. */
function wantsColor(): boolean {
  if (process.env['NO_COLOR']) return false;
  if (process.env['FORCE_COLOR']) return true;
  return process.stderr.isTTY && process.stdout.isTTY && process.env['TERM'] !== 'dumb';
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      interrupted.signal.removeEventListener('abort', done);
      clearTimeout(timer);
      resolve();
    }
    interrupted.signal.addEventListener('abort', done);
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  });
}
// a reader that has seen enough, such as head, is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const version = typeof FLINK_DISPATCH_VERSION === 'string' ? FLINK_DISPATCH_VERSION : 'development';
process.exitCode = await main(process.argv.slice(2), io, version);
