import type { Io } from '../src/terminal/io.ts';

export interface FakeIo extends Io {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly interrupt: () => void;
}

/** A process without a terminal, whose time passes only while somebody sleeps. */
export function fakeIo(env: Record<string, string> = {}, input: readonly string[] = []): FakeIo {
  let out = '';
  let err = '';
  let now = 1_000_000;
  const interrupted = new AbortController();
  return {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    errIsTty: false,
    color: false,
    env,
    clock: { now: () => now, sleep: (ms) => Promise.resolve(void (now += ms)) },
    input: async function* () {
      for (const line of input) yield await Promise.resolve(line);
    },
    interrupted: interrupted.signal,
    stdout: () => out,
    stderr: () => err,
    interrupt: () => interrupted.abort(),
  };
}
