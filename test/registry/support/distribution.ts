import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LAB } from '../../cluster/support/lab.ts';

const run = promisify(execFile);
const BINARY = join(LAB, 'bin', 'docker-registry');

export const hasRegistry = existsSync(BINARY);

/** Debian's package of Docker's registry, unpacked and not installed: it would start as a service of this machine. */
async function binary(): Promise<string> {
  if (existsSync(BINARY)) return BINARY;
  const work = mkdtempSync(join(tmpdir(), 'registry-'));
  const download = (): Promise<unknown> => run('apt-get', ['download', '-q', 'docker-registry'], { cwd: work });
  try {
    await download().catch(async () => {
      await run('apt-get', ['update', '-q']);
      await download();
    });
    await run('sh', ['-c', 'dpkg-deb -x docker-registry_*.deb unpacked'], { cwd: work });
    mkdirSync(join(LAB, 'bin'), { recursive: true });
    chmodSync(join(work, 'unpacked/usr/bin/docker-registry'), 0o755);
    await run('cp', [join(work, 'unpacked/usr/bin/docker-registry'), `${BINARY}.part`]);
    renameSync(`${BINARY}.part`, BINARY);
    return BINARY;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export interface RealRegistry {
  readonly host: string;
  /** Requests that it has answered since it began, and bytes of uploads. */
  counts(): { requests: number; methods: Record<string, number> };
  stop(): Promise<void>;
}

/**
 * A real registry on loopback, in the network that this process is in, with nothing in it.
 * @param users lines of an htpasswd file, with bcrypt; without them everybody may do everything
 */
export async function startRegistry(users?: string): Promise<RealRegistry> {
  const program = await binary();
  const folder = mkdtempSync(join(tmpdir(), 'registry-'));
  const port = await freePort();
  const config = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    ...(users === undefined ? {} : { auth: { htpasswd: { realm: 'registry', path: join(folder, 'users') } } }),
    http: { addr: `127.0.0.1:${port}`, secret: createHash('sha256').update(folder).digest('hex') },
  };
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
  if (users !== undefined) writeFileSync(join(folder, 'users'), `${users}\n`);
  const child = spawn(program, ['serve', join(folder, 'config.yml')], { stdio: ['ignore', 'pipe', 'ignore'] });
  const methods: Record<string, number> = {};
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const method = /"(GET|HEAD|POST|PATCH|PUT|DELETE) \/v2\//.exec(line)?.[1];
      if (method !== undefined) methods[method] = (methods[method] ?? 0) + 1;
    }
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const host = `127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    child.kill();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(`http://${host}/v2/`, () => child.exitCode !== null);
  } catch (error) {
    await stop();
    throw error;
  }
  const counts: RealRegistry['counts'] = () => ({
    requests: Object.values(methods).reduce((sum, count) => sum + count, 0),
    methods: { ...methods },
  });
  return { host, counts, stop };
}

async function answers(url: string, ended: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const status = await fetch(url).then(
      ({ status }) => status,
      () => 0,
    );
    if (status === 200 || status === 401) return;
    if (ended()) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no registry answers at ${url}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
