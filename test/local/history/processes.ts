import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FlinkDistribution } from '../../../infra/local/flink/distribution.ts';

/** A process of Flink, and what it has printed. */
export interface FlinkProcess {
  /** The first line that has it, also one that was printed before. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Once so many lines have it. */
  lines(pattern: RegExp, count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one of Flink's own scripts in the foreground, with a configuration of its own. */
export function startFlink(
  { flinkHome }: FlinkDistribution,
  script: 'jobmanager.sh' | 'taskmanager.sh' | 'historyserver.sh',
  { folder, options }: { readonly folder: string; readonly options: Readonly<Record<string, string>> },
): FlinkProcess {
  const conf = join(folder, `${script}-conf`);
  mkdirSync(conf, { recursive: true });
  const given = join(flinkHome, 'conf');
  for (const name of readdirSync(given).filter((one) => one.startsWith('log4j')))
    cpSync(join(given, name), join(conf, name));
  // What Java has to be told is in the configuration that comes with Flink.
  const opens = /^\s+all: (--add.*)$/m.exec(readFileSync(join(given, 'config.yaml'), 'utf8'))?.[1] ?? '';
  const lines = Object.entries({ 'env.java.opts.all': opens, ...options }).map(([key, value]) => `${key}: ${value}\n`);
  writeFileSync(join(conf, 'config.yaml'), lines.join(''));
  const env = { ...process.env, FLINK_CONF_DIR: conf, FLINK_LOG_DIR: folder };
  const child = spawn(join(flinkHome, 'bin', script), ['start-foreground'], { env, detached: true });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  const waiting = new Set<() => void>();
  const read = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const look of waiting) look();
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const until = async <T>(find: () => T | undefined, what: string): Promise<T> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      void ended.then(() => reject(new Error(`${script} ended without ${what}:\n${output.slice(-2_000)}`)));
      look();
    });
  return {
    line: (pattern) => until(() => pattern.exec(output) ?? undefined, String(pattern)),
    lines: (pattern, count) =>
      until(
        () => {
          const found = output.match(new RegExp(pattern, 'g')) ?? [];
          return found.length >= count ? true : undefined;
        },
        `${count} times ${String(pattern)}`,
      ).then(() => undefined),
    async stop() {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<unknown>((resolve) => server.close(resolve));
  return port;
}

export interface Session {
  readonly url: string;
  readonly jobManager: FlinkProcess;
  stop(): Promise<void>;
}

/** A JobManager and a TaskManager without Kubernetes. */
export async function startSession(flink: FlinkDistribution, folder: string): Promise<Session> {
  const port = await freePort();
  const options = {
    'jobmanager.rpc.address': '127.0.0.1',
    'jobmanager.rpc.port': String(await freePort()),
    'jobmanager.bind-host': '127.0.0.1',
    'rest.address': '127.0.0.1',
    'rest.bind-address': '127.0.0.1',
    'rest.port': String(port),
    'jobmanager.memory.process.size': '800m',
    'taskmanager.host': '127.0.0.1',
    'taskmanager.bind-host': '127.0.0.1',
    'taskmanager.memory.process.size': '900m',
    'taskmanager.memory.network.min': '16m',
    'taskmanager.memory.network.max': '16m',
    'taskmanager.memory.managed.size': '16m',
    'taskmanager.numberOfTaskSlots': '8',
    'execution.checkpointing.interval': '1s',
  };
  const jobManager = startFlink(flink, 'jobmanager.sh', { folder, options });
  const taskManager = startFlink(flink, 'taskmanager.sh', { folder, options });
  await jobManager.line(/Registering TaskManager with ResourceID/);
  await jobManager.line(/Rest endpoint listening at/);
  return {
    url: `http://127.0.0.1:${port}`,
    jobManager,
    stop: async () => void (await Promise.all([jobManager.stop(), taskManager.stop()])),
  };
}
