import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { LambdaRuntime } from './runtimes.ts';

export interface SandboxOptions {
  readonly runtime: LambdaRuntime;
  /** The unpacked zip. */
  readonly folder: string;
  /** `functions/on-message.handler` */
  readonly handler: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface InvocationResult {
  /** What the handler answered, or Lambda's description of its error. */
  readonly payload: unknown;
  /** As the Invoke API has it. */
  readonly functionError?: 'Unhandled';
  readonly ms: number;
}

/** One execution environment: AWS' runtime client in a process of its own, and the Runtime API that it asks for work. */
export interface Sandbox {
  /** Milliseconds from the start of the process to its first request for work. */
  readonly initMs: number;
  /** Milliseconds of the processor in that time. */
  readonly initCpuMs: number;
  /** Of its process, to which a test can do what may happen to any. */
  readonly pid: number;
  /**
   * `graceMs`: how much later than the function was told it is ended.
   * @throws Error `Task timed out`, after which the process is dead, or how the process ended by itself.
   */
  invoke(event: unknown, timeoutMs?: number, graceMs?: number): Promise<InvocationResult>;
  /** What the function wrote, so far. */
  log(): string;
  stop(): Promise<void>;
}

/** The function failed before it asked for work. */
class InitError extends Error {
  readonly errorType: string;

  constructor({ errorType, errorMessage }: { errorType: string; errorMessage: string }) {
    super(errorMessage);
    this.errorType = errorType;
  }
}

interface Job {
  readonly id: string;
  readonly event: unknown;
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly settle: (result: InvocationResult | Error) => void;
  startedAt: number;
  timer: NodeJS.Timeout | undefined;
}

const PREFIX = '/2018-06-01/runtime';

/** @throws InitError */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const api = new RuntimeApi();
  await api.listen();
  const startedAt = performance.now();
  const child = startClient(options, api.address);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (log += text));
  }
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.once('exit', (code, signal) => api.fail(new Error(`Runtime exited: ${signal ?? String(code)}\n${log}`)));
  api.onTimeout = () => child.kill('SIGKILL');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    await api.close();
  };
  try {
    await api.ready;
  } catch (error) {
    await stop();
    throw error;
  }
  const initMs = performance.now() - startedAt;
  const initCpuMs = api.cpuMs;
  return {
    initMs,
    initCpuMs,
    pid: child.pid ?? 0,
    invoke: (event, timeoutMs = 30_000, graceMs = 0) => api.invoke(event, timeoutMs, graceMs),
    log: () => log,
    stop,
  };
}

function startClient({ runtime, folder, handler, environment }: SandboxOptions, api: string): ChildProcess {
  const name = handler.split('/').at(-1)?.split('.')[0] ?? handler;
  return spawn(
    runtime.node,
    ['--no-warnings', '--require', join(import.meta.dirname, 'transport.cjs'), runtime.client, handler],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      // As AWS sets it, and nothing of this process but where to find programs.
      env: {
        PATH: process.env['PATH'],
        TZ: ':UTC',
        LANG: 'en_US.UTF-8',
        AWS_LAMBDA_RUNTIME_API: api,
        LAMBDA_TASK_ROOT: folder,
        _HANDLER: handler,
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
        AWS_LAMBDA_LOG_STREAM_NAME: 'local',
        AWS_EXECUTION_ENV: `AWS_Lambda_${runtime.name}`,
        AWS_REGION: 'us-east-1',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: '000000000000',
        AWS_SECRET_ACCESS_KEY: 'local',
        ...environment,
      },
    },
  );
}

class RuntimeApi {
  readonly ready: Promise<void>;
  onTimeout: () => void = () => undefined;
  cpuMs = 0;
  readonly #server: Server;
  readonly #jobs = new Map<string, Job>();
  readonly #queue: Job[] = [];
  #waiting: ServerResponse | undefined;
  #isReady: () => void = () => undefined;
  #isBroken: (error: Error) => void = () => undefined;

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.#isReady = resolve;
      this.#isBroken = reject;
    });
    this.#server = createServer((request, response) => {
      this.cpuMs ||= Number(request.headers['x-cpu-time'] ?? 0) / 1000;
      void readText(request).then((body) => this.#answer(request.url?.replace(PREFIX, '') ?? '', body, response));
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  fail(error: Error): void {
    this.#isBroken(error);
    for (const job of this.#jobs.values()) this.#settle(job, error);
  }

  invoke(event: unknown, timeoutMs: number, graceMs: number): Promise<InvocationResult> {
    return new Promise((resolve, reject) => {
      const settle = (result: InvocationResult | Error): void =>
        result instanceof Error ? reject(result) : resolve(result);
      const job: Job = { id: randomUUID(), event, timeoutMs, graceMs, settle, startedAt: 0, timer: undefined };
      this.#jobs.set(job.id, job);
      this.#queue.push(job);
      this.#handOut();
    });
  }

  #answer(path: string, body: string, response: ServerResponse): void {
    const [, id = '', what] = /^\/invocation\/(.+)\/(response|error)$/.exec(path) ?? [];
    if (path === '/invocation/next') {
      this.#isReady();
      this.#waiting = response;
      this.#handOut();
      return;
    }
    response.writeHead(202).end('{"status":"OK"}');
    if (path === '/init/error') this.#isBroken(new InitError(JSON.parse(body) as never));
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    const payload: unknown = JSON.parse(body);
    const ms = performance.now() - job.startedAt;
    this.#settle(job, what === 'error' ? { payload, functionError: 'Unhandled', ms } : { payload, ms });
  }

  #handOut(): void {
    const response = this.#waiting;
    const job = response === undefined ? undefined : this.#queue.shift();
    if (response === undefined || job === undefined) return;
    this.#waiting = undefined;
    job.startedAt = performance.now();
    job.timer = setTimeout(() => {
      this.#settle(job, new Error(`Task timed out after ${(job.timeoutMs / 1000).toFixed(2)} seconds`));
      this.onTimeout();
    }, job.timeoutMs + job.graceMs);
    response
      .writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': job.id,
        'lambda-runtime-deadline-ms': String(Date.now() + job.timeoutMs),
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:local',
        'lambda-runtime-trace-id': 'Root=1-00000000-000000000000000000000000;Sampled=0',
      })
      .end(JSON.stringify(job.event));
  }

  #settle(job: Job, result: InvocationResult | Error): void {
    clearTimeout(job.timer);
    if (this.#jobs.delete(job.id)) job.settle(result);
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part as string;
  return text;
}
