import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stack } from '../stack.ts';
import { seconds, type Terminal } from './terminal.ts';

const KEY = 'demo/counting.jar';
const NUMBERS_SHOWN = 60;
const LOOK_MS = 50;
const PATIENCE_MS = 4 * 60_000;

/** A number as the job told it. */
interface Heard {
  readonly version: string;
  readonly number: number;
  /** How many numbers its state has counted. */
  readonly count: number;
  readonly at: number;
}

/** What is heard: the first and the last number of each version. */
interface Listener {
  readonly url: string;
  first(version: string): Heard | undefined;
  last(version: string): Heard | undefined;
  /** Whether every number had as many before it as it should. */
  readonly whole: boolean;
  stop(): void;
}

/**
 * Uploads a stream, and its next version under the same key while it counts, and shows by what the job itself tells that
 * it goes on with the next number. Then suspends it, so that nothing of it is left.
 */
export async function showStream(stack: Stack, terminal: Terminal): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'flink-dispatch-demo-state-'));
  const listener = await listen();
  try {
    const upload = (version: string, state: 'running' | 'suspended'): Promise<string> =>
      stack.upload(stack.cluster.examples.counting, { key: KEY, spec: specOf(folder, listener.url, version, state) });
    terminal.line(`\n${terminal.style('bold', `A stream is dropped: s3://${stack.deployment.jarBucket}/${KEY}`)}`);
    await upload('one', 'running');
    await counts('one', listener, terminal);
    terminal.line(terminal.style('bold', 'Its next version is dropped under the same key, while it counts'));
    await upload('two', 'running');
    await counts('two', listener, terminal);
    const exact = showHandover(listener, terminal);
    await upload('two', 'suspended');
    await silence(listener, terminal);
    return exact;
  } finally {
    listener.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function specOf(folder: string, url: string, version: string, state: 'running' | 'suspended'): object {
  return {
    name: 'counting',
    job: { kind: 'streaming', upgradeMode: 'savepoint', state, args: [url, version], parallelism: 1 },
    flinkConfiguration: {
      'execution.checkpointing.interval': '5 s',
      'execution.checkpointing.dir': `file://${folder}/checkpoints`,
      'execution.checkpointing.savepoint-dir': `file://${folder}/savepoints`,
    },
  };
}

/** Until the version has told some numbers. */
async function counts(version: string, listener: Listener, terminal: Terminal): Promise<void> {
  const begin = Date.now();
  const title = (): string => {
    const last = listener.last(version);
    return last === undefined ? `version ${version} starts …` : `version ${version} counts: ${last.number}`;
  };
  const done = terminal.wait(title);
  try {
    const enough = (): boolean => {
      const [first, last] = [listener.first(version), listener.last(version)];
      return first !== undefined && last !== undefined && last.number - first.number >= NUMBERS_SHOWN;
    };
    await until(enough, `version ${version} does not count`);
  } finally {
    done();
  }
  const first = listener.first(version);
  const note = `its first number is ${first?.number ?? '?'}`;
  const columns = `version ${version} counts`.padEnd(20);
  terminal.line(
    `  ${terminal.style('green', '●')} ${columns} ${seconds(Date.now() - begin)}   ${terminal.style('dim', note)}`,
  );
}

function showHandover(listener: Listener, terminal: Terminal): boolean {
  const [before, after] = [listener.last('one'), listener.first('two')];
  if (before === undefined || after === undefined) return false;
  const exact = after.number === before.number + 1 && listener.whole;
  const mark = exact ? terminal.style('green', '✔') : terminal.style('red', '✘');
  const verdict = exact ? 'no gap, and nothing twice' : 'they do not fit';
  const pause = seconds(after.at - before.at);
  terminal.line(
    `  ${mark} version one ended with ${before.number}, version two began with ${after.number}, its state had counted ` +
      `${after.count}: ${verdict}; ${pause} without a number`,
  );
  return exact;
}

/** It is suspended: its savepoint is kept, and its cluster goes. */
async function silence(listener: Listener, terminal: Terminal): Promise<void> {
  const done = terminal.wait(() => 'it is suspended …');
  try {
    const end = Date.now() + PATIENCE_MS;
    for (let heard = 0; Date.now() < end;) {
      const last = listener.last('two')?.number ?? 0;
      if (last === heard) break;
      heard = last;
      await delay(20 * LOOK_MS);
    }
  } finally {
    done();
  }
  const at = listener.last('two')?.number ?? 0;
  terminal.line(
    `  ${terminal.style('green', '●')} ${'suspended'.padEnd(20)} ${terminal.style('dim', `at ${at}: its savepoint is kept`)}`,
  );
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > end) throw new Error(what);
    await delay(LOOK_MS);
  }
}

async function listen(): Promise<Listener> {
  const first = new Map<string, Heard>();
  const last = new Map<string, Heard>();
  let whole = true;
  const server = createServer((request, response) => {
    const { searchParams: query } = new URL(request.url ?? '/', 'http://demo');
    const [number, count] = [Number(query.get('number')), Number(query.get('count'))];
    const heard = { version: query.get('version') ?? '', number, count, at: Date.now() };
    if (!first.has(heard.version)) first.set(heard.version, heard);
    last.set(heard.version, heard);
    whole &&= number === count;
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    first: (version) => first.get(version),
    last: (version) => last.get(version),
    get whole() {
      return whole;
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
