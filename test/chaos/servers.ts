import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACCOUNT, clientEnvironment, hostEnvironment, installMinistack } from '../../infra/local/aws/ministack.ts';
import { startGroup, type ProcessGroup } from '../../infra/local/process.ts';
import { silent } from '../../infra/local/progress.ts';
import { killProgram, type LabProgram } from '../cluster/support/lab.ts';
import * as versitygw from '../contract/versitygw.ts';

/** A server that can be killed and goes on, on the same address, with all that it had said yes to. */
export interface Server {
  readonly name: string;
  readonly url: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Until it answers. */
  start(): Promise<void>;
}

interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly health: string;
}

const START_MS = 30_000;

/** SQS and EventBridge. */
export async function startQueues(parent: string, host: string): Promise<Server> {
  const folder = await made(join(parent, 'queues'));
  const command = await installMinistack({ python: 'python3', progress: silent });
  const port = await freePort(host);
  const url = `http://${host}:${port}`;
  const environment = {
    ...hostEnvironment(),
    ...clientEnvironment(url),
    GATEWAY_PORT: String(port),
    BIND_HOST: host,
    MINISTACK_HOST: host,
    IOT_MTLS_ENABLED: '0',
    PERSIST_STATE: '1',
    STATE_DIR: join(folder, 'state'),
    TMPDIR: folder,
    LOG_LEVEL: 'WARNING',
  };
  const program = join(import.meta.dirname, 'durable.py');
  return serve(url, { name: 'queues', command, args: [program], environment, folder, health: '/_ministack/ready' });
}

/** S3: objects are files. */
export async function startStorage(parent: string, host: string): Promise<Server> {
  const folder = await made(join(parent, 'storage'));
  const data = await made(join(folder, 'data'));
  const command = await versitygw.install(folder);
  const address = `${host}:${await freePort(host)}`;
  const args = ['--port', address, '--access', ACCOUNT, '--secret', 'local', '--quiet', '--health', '/health'];
  const environment = process.env;
  return serve(`http://${address}`, {
    ...{ name: 'storage', command, args: [...args, 'posix', data], environment, folder, health: '/health' },
  });
}

async function serve(url: string, program: Program): Promise<Server> {
  const { name, command, args, environment, folder, health } = program;
  let group: ProcessGroup | undefined;
  const start = async (): Promise<void> => {
    const logFile = join(folder, 'server.log');
    group = await startGroup(command, args, { folder, logFile, environment });
    const end = Date.now() + START_MS;
    while (!(await answers(`${url}${health}`))) {
      if (Date.now() > end) throw new Error(`${name} did not start: see ${logFile}`);
      await sleep(20);
    }
  };
  await start();
  const kill = async (): Promise<void> => {
    if (group === undefined) return;
    process.kill(-group.pid, 'SIGKILL');
    await group.exited;
  };
  return { name, url, start, kill };
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok === true;
}

/** A program of the project's own Kubernetes, whose state etcd has. */
export function labProgram(name: LabProgram): Pick<Server, 'name' | 'kill' | 'start'> {
  let again = (): Promise<void> => Promise.resolve();
  return {
    name: `kube-${name}`,
    async kill() {
      again = await killProgram(name);
    },
    start: () => again(),
  };
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
